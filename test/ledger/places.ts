import { randomUUID } from "node:crypto";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { createDatabase, type Database } from "../../src/entry/node.ts";
import { createRequestDatabase, runRequest } from "../faults/subjects/request-database.ts";
import { findPgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import { startWire, type Wire } from "../support/wire.ts";
import { type Form, type Kind, kindOf } from "./transfers.ts";

/** The ways transfers take: a transport, or the pool with PgBouncer behind it. */
export const ways = ["pool", "http", "websocket", "request", "pgbouncer"] as const;

/** One of {@link ways}. */
export type Way = (typeof ways)[number];

/** A way, laid with a wire on either side of what stands between. */
export interface Place extends AsyncDisposable {
  readonly db: Database;
  readonly forms: readonly Form[];
  /** Runs one client's work: on `request` a request of its own. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Between the clients and what they connect to. */
  readonly front: Wire;
  /** Next to the server; reads Postgres. The front itself where nothing stands between. */
  readonly back: Wire;
}

/** Bounds each call with its attempts, milliseconds: more than a restart takes. */
export const DEADLINE_MS = 10_000;

const POOL_SIZE = 20;

const all: readonly Form[] = ["transaction", "batch", "query", "call", "do", "script", "session"];

/** What can be sent over each way. Of the transport `http`, what needs a session goes over a WebSocket. */
const formsOf: Readonly<Record<Way, readonly Form[]>> = {
  pool: all,
  request: all,
  pgbouncer: all,
  http: ["batch", "query", "call", "do"],
  websocket: ["transaction", "script", "session"],
};

/** What can be sent over a way, as it is counted. */
export function kindsOf(way: Way): ReadonlySet<Kind> {
  return new Set(formsOf[way].map(kindOf));
}

/** The ways this machine can take: without PgBouncer one less. */
export function availableWays(): readonly Way[] {
  return ways.filter((way) => way !== "pgbouncer" || findPgBouncer() !== undefined);
}

/** Lays a way to a database of the server. */
export async function layWay(way: Way, server: PostgresServer, database: string): Promise<Place> {
  const stack = new AsyncDisposableStack();
  try {
    const back = stack.use(await startWire(server));
    const urlAt = ({ port }: { readonly port: number }) => {
      const url = new URL(server.url(database));
      url.port = String(port);
      return url.href;
    };
    const options = { name: randomUUID(), deadlineMs: DEADLINE_MS, applicationName: "ledger" } as const;
    const place = (db: Database, more: Partial<Place> = {}): Place => ({
      db: stack.use(db),
      forms: formsOf[way],
      run: (work) => work(),
      front: back,
      back,
      ...more,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    });
    switch (way) {
      case "pool":
        return place(createDatabase({ ...options, url: urlAt(back), transport: "pool", max: POOL_SIZE }));
      case "request": {
        const db = createRequestDatabase({ ...options, url: urlAt(back), transport: "request", sslMode: "disable" });
        return place(db, { run: (work) => runRequest(db, work) });
      }
      case "pgbouncer": {
        const bouncer = await startPgBouncer({ ...server, port: back.port }, { server_login_retry: "0", max_client_conn: "500" });
        stack.defer(() => bouncer.stop());
        const front = stack.use(await startWire(bouncer));
        const db = createDatabase({ ...options, url: urlAt(front), transport: "pool", target: "pgbouncer", max: POOL_SIZE });
        return place(db, { front });
      }
      case "http":
      case "websocket": {
        const endpoint = await startEndpoint({ databaseUrl: urlAt(back), port: 0 });
        stack.defer(() => endpoint.stop());
        const front = stack.use(await startWire({ host: "127.0.0.1", port: endpoint.port }));
        const db = createDatabase({
          ...options,
          url: server.url(database),
          transport: "http",
          endpoint: `http://127.0.0.1:${front.port}`,
        });
        return place(db, { front });
      }
    }
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}
