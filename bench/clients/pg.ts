import { readFileSync } from "node:fs";
import pg from "pg";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";

export const open: OpenClient = ({ url, max, named = false, tls }) => {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    ...(tls && { ssl: { ca: readFileSync(tls.ca, "utf8") }, sslnegotiation: tls.direct ? "direct" : "postgres" }),
  });
  return {
    ask: (name, values) => pool.query({ text: statements[name].text, values: [...values], ...(named && { name }) }),
    close: () => pool.end(),
  };
};
