import { createDatabase } from "warmline";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";

export const open: OpenClient = ({ url, endpointUrl }) => {
  const db = createDatabase({ url, endpoint: endpointUrl, transport: "http" });
  return {
    ask: (name, values) => db.query(statements[name].text, values),
    close: () => db.close(),
  };
};
