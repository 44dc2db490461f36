import { createDatabase, sql } from "warmline";
import type { OpenClient } from "../client.ts";
import { statements, templateOf } from "../statements.ts";

const template = templateOf(statements["by primary key"].text);

/** What `warmline-with` sends, as a batch. */
export const open: OpenClient = ({ url, max }) => {
  const db = createDatabase({ url, transport: "pool", max });
  return {
    ask: (_, values) =>
      db.batch([
        sql`select set_config('app.tenant', ${`tenant ${values[0]}`}, true), set_config('role', ${"pg_read_all_data"}, true)`,
        sql(template, ...values),
      ]),
    close: () => db.close(),
  };
};
