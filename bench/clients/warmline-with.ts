import { createDatabase } from "warmline";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";

/** A view for each query, as each request has its own. */
export const open: OpenClient = ({ url, max }) => {
  const db = createDatabase({ url, transport: "pool", max });
  return {
    ask: (name, values) =>
      db.with({ settings: { "app.tenant": `tenant ${values[0]}` }, role: "pg_read_all_data" }).query(statements[name].text, values),
    close: () => db.close(),
  };
};
