import { neon, neonConfig } from "@neondatabase/serverless";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";

export const open: OpenClient = ({ url, endpointUrl }) => {
  neonConfig.fetchEndpoint = () => `${endpointUrl}/sql`;
  const sql = neon(url);
  return {
    ask: (name, values) => sql.query(statements[name].text, [...values]),
    close: async () => {},
  };
};
