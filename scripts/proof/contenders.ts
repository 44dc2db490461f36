import { createDatabase, type Database } from "warmline";
import { serveApp } from "../../functions/node.ts";
import type { Contender, Served } from "./contender.ts";
import { lambdaAtScale, lambdaDirect, lambdaOverDsql, lambdaOverRdsProxy } from "./lambda.ts";
import { workers } from "./workers.ts";

/** Those that need nothing but Postgres and the endpoint: what the demo has time for. */
export const demoContenders: readonly Contender[] = [
  {
    runtime: "node",
    transport: "pool",
    connections: 1,
    serve: ({ databaseUrl }) => serveOnNode(createDatabase({ url: databaseUrl })),
  },
  {
    runtime: "node",
    transport: "http",
    connections: null,
    serve: ({ databaseUrl, endpointUrl }) =>
      serveOnNode(
        createDatabase({
          url: databaseUrl,
          endpoint: endpointUrl,
          transport: "http",
        }),
      ),
  },
  lambdaDirect,
];

/** Every runtime and transport that exists, as far as this machine can run it. */
export const contenders: readonly Contender[] = [...demoContenders, lambdaOverRdsProxy, lambdaOverDsql, ...lambdaAtScale, ...workers];

async function serveOnNode(db: Database): Promise<Served> {
  const app = await serveApp({ db, port: 0 });
  return {
    why: db.plan.reasons.transport,
    async invoke() {
      const startMs = performance.now();
      const response = await fetch(`${app.url}/proof`, { signal: AbortSignal.timeout(60_000) });
      const body: unknown = await response.json();
      return { status: response.status, body, tookMs: performance.now() - startMs };
    },
    async stop() {
      await app.stop();
      await db.close();
    },
  };
}
