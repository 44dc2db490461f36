import { createDatabase, type Database } from "warmline";
import { serveApp } from "../functions/node.ts";

/** A runtime with a transport that has to prove itself. A new one is one more entry in {@link contenders}. */
export interface Contender {
  readonly runtime: string;
  readonly transport: string;
  /** Starts the demo API there, over the database at `databaseUrl`. */
  serve(place: Place): Promise<Served>;
  /** What the server is to have counted for the proof to hold; null where a runtime holds no connection and may open as many as it likes. */
  readonly connections: number | null;
}

/** Where a contender finds its database. */
export interface Place {
  readonly databaseUrl: string;
  readonly endpointUrl: string;
}

/** The demo API of a contender, answering. */
export interface Served {
  readonly url: string;
  /** Why this transport was chosen, in the plan's words. */
  readonly why: string;
  stop(): Promise<void>;
}

/** Every runtime and transport that exists. */
export const contenders: readonly Contender[] = [
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
];

async function serveOnNode(db: Database): Promise<Served> {
  const app = await serveApp({ db, port: 0 });
  return {
    url: app.url,
    why: db.plan.reasons.transport,
    async stop() {
      await app.stop();
      await db.close();
    },
  };
}
