import { createDatabase, type Database } from "warmline";
import { serveApp } from "../functions/node.ts";
import { lambdaAtScale, lambdaDirect, lambdaOverRdsProxy } from "./proof-lambda.ts";
import { workers } from "./proof-workers.ts";

/** A runtime with a transport that has to prove itself. A new one is one more entry below. */
export interface Contender {
  readonly runtime: string;
  readonly transport: string;
  /** What its answers have to say they came over. Default: `transport`. */
  readonly over?: string;
  /**
   * The most sessions the server may count for the proof to hold; `one each` where a connection ends with its invocation; null where a runtime
   * holds no connection and may open as many as it likes.
   */
  readonly connections: number | "one each" | null;
  /** Invocations on their way at a time. Default 1. */
  readonly atOnce?: number;
  /** Starts the demo API there, over the database at `databaseUrl`. */
  serve(place: Place): Promise<Served>;
}

/** Where a contender finds its database. */
export interface Place {
  readonly databaseUrl: string;
  readonly endpointUrl: string;
  /** How many times the endpoint was posted to. */
  readonly countPosts: () => number;
}

/** The demo API of a contender, answering. */
export interface Served {
  /** Why this transport was chosen, in the plan's words. */
  readonly why: string;
  /** Asks for `GET /proof` once. */
  invoke(): Promise<Answer>;
  /** What else was promised and counted, in words, once all is asked; empty where nothing was. */
  readonly alsoCounted?: () => { readonly words: string; readonly held: boolean };
  stop(): Promise<void>;
}

/** An answer of the demo API. */
export interface Answer {
  readonly status: number;
  /** Read from JSON. */
  readonly body: unknown;
  /** From asking to its end, milliseconds; without what it slept before. */
  readonly tookMs: number;
}

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
export const contenders: readonly Contender[] = [...demoContenders, lambdaOverRdsProxy, ...lambdaAtScale, ...workers];

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
