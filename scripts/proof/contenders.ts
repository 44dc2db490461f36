import { createDatabase, type Database } from "warmline";
import { serveApp } from "../../functions/node.ts";
import { clientEach, neonAlone } from "./bare/node.ts";
import type { Contender, Place, Served } from "./contender.ts";
import { lambdaAtScale, lambdaDirect, lambdaForgotten, lambdaOverDsql, lambdaOverRdsProxy, poolForgotten } from "./lambda.ts";
import { workers } from "./workers.ts";

/** Those that need nothing but Postgres and the endpoint: what the demo has time for. */
export const demoContenders: readonly Contender[] = [
  {
    runtime: "node",
    transport: "pool",
    connections: 1,
    serve: ({ databaseUrl }) => serveOnNode(createDatabase({ url: databaseUrl })),
  },
  clientEach,
  {
    runtime: "node",
    transport: "http",
    connections: null,
    serve: serveOverHttp,
  },
  neonAlone,
  lambdaDirect,
  lambdaForgotten,
  poolForgotten,
];

/** Every runtime and transport that exists, as far as this machine can run it. */
export const contenders: readonly Contender[] = [...demoContenders, lambdaOverRdsProxy, lambdaOverDsql, ...lambdaAtScale, ...workers];

async function serveOverHttp({ databaseUrl, endpointUrl, countPosts }: Place): Promise<Served> {
  const before = countPosts();
  let asked = 0;
  const served = await serveOnNode(createDatabase({ url: databaseUrl, endpoint: endpointUrl, transport: "http" }));
  return {
    ...served,
    invoke() {
      asked++;
      return served.invoke();
    },
    alsoCounted() {
      const posts = countPosts() - before;
      return { words: `${posts} POSTs for ${asked} invocations`, held: posts === asked };
    },
  };
}

async function serveOnNode(db: Database): Promise<Served> {
  // when it is stopped everything was answered: the connections that fetch keeps are not waited for
  const app = await serveApp({ db, port: 0, drainMs: 100 });
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
