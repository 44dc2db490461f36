import { serveWorker, type WorkerBindings } from "../../test/support/worker/runtime.ts";
import type { Contender, Place } from "./contender.ts";

/** The demo API as a Cloudflare Worker in local workerd, bundled as it would be deployed: over HTTP, Hyperdrive and TCP. */
export const workers: readonly Contender[] = [
  {
    runtime: "workerd",
    transport: "http",
    connections: null,
    async serve(place) {
      const { databaseUrl, endpointUrl, countPosts } = place;
      const before = countPosts();
      let asked = 0;
      const served = await serve("functions/worker.ts", { vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpointUrl } });
      return {
        ...served,
        invoke() {
          asked++;
          return served.invoke();
        },
        alsoCounted() {
          const posts = countPosts() - before;
          return { words: `${posts} subrequests for ${asked} batches`, held: posts === asked };
        },
      };
    },
  },
  {
    runtime: "workerd",
    transport: "hyperdrive",
    over: "request",
    connections: "one each",
    serve: ({ databaseUrl }) => serve("functions/worker-hyperdrive.ts", { hyperdrive: { HYPERDRIVE: databaseUrl } }),
  },
  {
    runtime: "workerd",
    transport: "tcp",
    over: "request",
    connections: "one each",
    serve: ({ databaseUrl }: Place) => serve("functions/worker-hyperdrive.ts", { vars: { DATABASE_URL: databaseUrl } }),
  },
];

const API_TOKEN = "token-of-the-proof";

async function serve(main: string, bindings: WorkerBindings) {
  const worker = await serveWorker(main, { ...bindings, vars: { ...bindings.vars, API_TOKEN } });
  const get = (path: string) =>
    fetch(new URL(path, worker.url), { headers: { Authorization: `Bearer ${API_TOKEN}` }, signal: AbortSignal.timeout(60_000) });
  const { plan } = (await (await get("/stats")).json()) as { readonly plan: { readonly reasons: { readonly transport: string } } };
  return {
    why: plan.reasons.transport,
    async invoke() {
      const startMs = performance.now();
      const response = await get("/proof");
      const body: unknown = await response.json();
      return { status: response.status, body, tookMs: performance.now() - startMs };
    },
    stop: async () => worker[Symbol.asyncDispose](),
  };
}
