import { neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import type { Answer, Contender } from "../contender.ts";

/** What `GET /proof` is answered with: the same two statements, over a client as it is without this package. */
interface Work {
  readonly transport: string;
  readonly backendPid: unknown;
  readonly products: unknown;
}

async function timed(work: () => Promise<Work>): Promise<Answer> {
  const startMs = performance.now();
  const body = await work();
  return { status: 200, body, tookMs: performance.now() - startMs };
}

const BACKEND = "select pg_backend_pid() as pid";
const PRODUCTS = "select count(*)::integer as products from products";

/** A `Client` of pg's for each invocation, as functions are often written: connected, asked, ended. */
export const clientEach: Contender = {
  runtime: "node",
  transport: "bare pg.Client",
  connections: "not promised",
  async serve({ databaseUrl }) {
    return {
      why: "bare pg.Client: a login before every invocation's statements",
      invoke: () =>
        timed(async () => {
          const client = new pg.Client({ connectionString: databaseUrl });
          await client.connect();
          try {
            const backend = await client.query(BACKEND);
            const work = await client.query(PRODUCTS);
            return { transport: "bare pg.Client", backendPid: backend.rows[0]?.pid, products: work.rows[0]?.products };
          } finally {
            await client.end();
          }
        }),
      stop: async () => {},
    };
  },
};

/** `neon()` of Neon's driver, a statement at a time. */
export const neonAlone: Contender = {
  runtime: "node",
  transport: "bare neon()",
  connections: "not promised",
  async serve({ databaseUrl, endpointUrl, countPosts }) {
    const before = countPosts();
    let asked = 0;
    const { fetchEndpoint } = neonConfig;
    neonConfig.fetchEndpoint = `${endpointUrl}/sql`;
    const query = neon(databaseUrl);
    return {
      why: "bare neon(): a POST for each statement",
      invoke() {
        asked++;
        return timed(async () => {
          const [backend] = await query.query(BACKEND);
          const [work] = await query.query(PRODUCTS);
          return { transport: "bare neon()", backendPid: backend?.pid, products: work?.products };
        });
      },
      alsoCounted: () => ({ words: `${countPosts() - before} POSTs for ${asked} invocations`, held: true }),
      async stop() {
        neonConfig.fetchEndpoint = fetchEndpoint;
      },
    };
  },
};
