import { neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { createDatabase } from "warmline";
import type { Work } from "./measure.ts";
import type { ServerAddresses } from "./servers.ts";

/** The same query through warmline and through the driver below it. */
export interface Case {
  readonly name: string;
  readonly ours: Work;
  readonly bare: Work;
  /** Queries in one block: some thousandths of a second. */
  readonly queriesPerBlock: number;
}

/** The cases, and what closes their connections. */
export interface Cases {
  readonly cases: readonly Case[];
  readonly close: () => Promise<void>;
}

const statements = {
  "1 row": {
    text: "select $1::int as n, $2::text as t",
    values: [7, "a short text"],
  },
  "20 rows × 6 columns": {
    text: `select i as id, 'product ' || i as name, i * 10.5 as price, i % 2 = 0 as active, now() as changed, null as note
           from generate_series($1::int, $2::int) as i`,
    values: [1, 20],
  },
};

/** Every statement over the pool against `pg.Pool`, and over HTTP against `neon()`. */
export function openCases({ databaseUrl, endpointUrl }: ServerAddresses): Cases {
  const pool = createDatabase({ url: databaseUrl, transport: "pool" });
  const http = createDatabase({
    url: databaseUrl,
    endpoint: endpointUrl,
    transport: "http",
  });
  const barePool = new pg.Pool({ connectionString: databaseUrl });
  neonConfig.fetchEndpoint = () => `${endpointUrl}/sql`;
  const bareHttp = neon(databaseUrl);

  const cases = Object.entries(statements).flatMap(([what, { text, values }]): Case[] => [
    {
      name: `pool, ${what}`,
      ours: () => pool.query(text, values),
      bare: () => barePool.query(text, values),
      queriesPerBlock: 200,
    },
    {
      name: `http, ${what}`,
      ours: () => http.query(text, values),
      bare: () => bareHttp.query(text, values),
      queriesPerBlock: 30,
    },
  ]);
  return {
    cases: cases.toSorted((left, right) => right.name.localeCompare(left.name)),
    async close() {
      await Promise.all([pool.close(), http.close(), barePool.end()]);
    },
  };
}
