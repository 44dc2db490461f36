import { PostgresDialect } from "kysely";
import Cursor from "pg-cursor";
import { kyselyProgram } from "./kysely-program.ts";
import { poolHere } from "./pool-here.ts";

export const orm = kyselyProgram((_, { url }) => new PostgresDialect({ pool: poolHere(url), cursor: Cursor }), "own");
