import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A service of somebody else's, over HTTP: POST counts what GET gives back, by path. */
export interface Service extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** How often a path was posted to. */
  count(path: string): number;
  /** Connections accepted so far. */
  connections(): number;
  /** What it does with a request from now on; undefined answers it. */
  behave(how: ((response: ServerResponse) => void) | undefined): void;
  /** Ends every connection from its side; gives how many. */
  killUsers(): Promise<number>;
  /** Ends every connection, and listens anew on the same port. */
  restart(): Promise<void>;
}

/** Starts it. */
export async function startService(): Promise<Service> {
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  let connections = 0;
  let behavior: ((response: ServerResponse) => void) | undefined;
  const listen = async (port: number): Promise<Server> => {
    const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
      request.resume();
      if (behavior) return behavior(response);
      const path = request.url ?? "";
      if (request.method === "POST") counts.set(path, (counts.get(path) ?? 0) + 1);
      response.setHeader("content-type", "application/json").end(JSON.stringify(counts.get(path) ?? 0));
    });
    server.on("connection", (socket) => {
      connections += 1;
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  const killUsers = async () => {
    const killed = [...sockets];
    await Promise.all(killed.map((socket) => once(socket.destroy(), "close")));
    return killed.length;
  };
  const stop = async () => {
    const closed = once(server.close(), "close");
    await killUsers();
    await closed;
  };
  let server = await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The service has no port.");
  const { port } = address;
  return {
    host: "127.0.0.1",
    port,
    count: (path) => counts.get(path) ?? 0,
    connections: () => connections,
    behave(how) {
      behavior = how;
    },
    killUsers,
    async restart() {
      await stop();
      server = await listen(port);
    },
    [Symbol.asyncDispose]: stop,
  };
}
