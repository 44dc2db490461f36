import { PostgresDialect } from "kysely";
import pg from "pg";
import Cursor from "pg-cursor";
import { kyselyProgram } from "./kysely-program.ts";

export const orm = kyselyProgram(
  (_, { url }) => new PostgresDialect({ pool: new pg.Pool({ connectionString: url }), cursor: Cursor }),
  "own",
);
