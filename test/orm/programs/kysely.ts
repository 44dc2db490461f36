import { Kysely } from "kysely";
import { WarmlineDialect } from "warmline/kysely";
import type { Orm } from "../orm.ts";
import { kyselyProgram, requestOf, type Tables } from "./kysely-program.ts";

export const orm: Orm = {
  ...kyselyProgram((db) => new WarmlineDialect(db)),
  atModuleScope: (db) => requestOf(new Kysely<Tables>({ dialect: new WarmlineDialect(db) })),
};
