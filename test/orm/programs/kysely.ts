import { WarmlineDialect } from "warmline/kysely";
import { kyselyProgram } from "./kysely-program.ts";

export const orm = kyselyProgram((db) => new WarmlineDialect(db));
