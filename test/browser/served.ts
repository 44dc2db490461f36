import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Database } from "warmline";
import { dashboard } from "warmline/dashboard";

type Shown = Pick<Database, "plan" | "stats" | "subscribe">;

/** An application with a dashboard, and the sockets it answers on. */
export interface ServedDashboard {
  readonly url: string;
  readonly port: number;
  readonly sockets: ReadonlySet<Socket>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves it on this port, or any that is free. */
export async function serveDashboard(
  db: Shown,
  { token, port = 0 }: { readonly token?: string; readonly port?: number } = {},
): Promise<ServedDashboard> {
  const app = new Hono().route("/_warmline", dashboard(db, { token }));
  const server: Server = createServer(getRequestListener(app.fetch));
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const taken = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${taken}/_warmline`,
    port: taken,
    sockets,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A database that tells of ten thousand calls a second over ten connections. */
export function makeTorrent(): Shown & Disposable {
  const listeners = new Set<Parameters<Shown["subscribe"]>[0]>();
  const began = performance.now();
  let n = 0;
  const timer = setInterval(() => {
    const startedAt = Date.now();
    for (const due = (performance.now() - began) * 10; n < due; n++) {
      const via = { transport: "pool", connectionId: `c${n % 10}`, reused: n % 997 !== 0, attempts: 1 } as const;
      const failure =
        n % 499 === 0
          ? ({ code: "40001", fate: "refused", sqlState: "40001", message: "could not serialize", excerpt: null } as const)
          : null;
      const told = {
        operation: "query",
        within: null,
        texts: ["select 1"],
        startedAt,
        durationMs: (n % 40) + 0.4,
        attempts: 1,
        rowCount: 1,
        returnedRows: 1,
      } as const;
      for (const listener of listeners) listener({ type: "query", ...told, failure, via: failure ? null : via });
    }
  }, 10);
  return {
    plan: {
      runtime: "node",
      transport: "pool",
      max: 10,
      reasons: { transport: "pool: a test says so" },
      warnings: [],
    } as unknown as Shown["plan"],
    stats: () => ({ total: 10, idle: 0, waiting: 0, running: 9, connects: 10, breaker: "closed" }) as ReturnType<Shown["stats"]>,
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
