import { once } from "node:events";
import { createServer } from "node:net";
import { type Link, openLink } from "./network-link.ts";

/**
 * What befalls a connection:
 * - `fin`, `rst`: it ends now, as if the server had closed or reset it; a frozen client finds that on waking.
 * - `rst-on-write`: nothing is seen until the client writes; that is lost and answered with RST, as by a NAT that has forgotten the connection.
 * - `withhold`: what the server says or does, its FIN and RST too, reaches the client only after the client's next write, as in a virtual machine
 *   that was paused when it came. That write still goes to the server, if it is there, and afterwards all is as before.
 * - `swallow`: nothing passes any more in either direction, and nobody is told.
 * - `delay`: everything takes `delayMs` longer each way.
 * - `drip`: what the server says next comes a byte at a time, each `delayMs` after the last; afterwards all is as before.
 * - `cut-after`: the connection ends as soon as `bytes` more of what `from` says were passed on; the rest is lost.
 */
export type Fault =
  | { readonly kind: "fin" | "rst" | "rst-on-write" | "withhold" | "swallow" }
  | { readonly kind: "delay" | "drip"; readonly delayMs: number }
  | { readonly kind: "cut-after"; readonly bytes: number; readonly from: "client" | "server" };

/**
 * The proof that a fault was felt: a connection ended, or bytes were lost or late; `withhold` when the client is told late of something that there was
 * to tell. Once for each fault on each connection.
 */
export interface Strike {
  readonly kind: Fault["kind"];
  /** Number of the connection, from 1 in the order of their opening. */
  readonly connection: number;
}

/** A TCP proxy on 127.0.0.1 that passes bytes on unread, TLS too, until a fault is laid on its connections. */
export interface Network extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Connections accepted so far. */
  connections(): number;
  /** Connections of clients that are open now. */
  openConnections(): number;
  /** Lays a fault on every connection that is open now, in place of an earlier one; gives their number. Connections to come are whole. */
  lay(fault: Fault): number;
  /** Resets the connections on which such a fault lies: a server whose client was swallowed learns of nothing by itself. */
  reset(kind: Fault["kind"]): void;
  /** Stops listening, so that new connections are refused, until `admit`. Those that are open stay. */
  refuse(): void;
  /** Listens again, on the same port. */
  admit(): Promise<void>;
  /** What was felt so far, in order. */
  readonly strikes: readonly Strike[];
  /** Resets all connections and stops listening. Safe to call more than once. */
  close(): Promise<void>;
}

/** Lays a network to a server, or to a proxy before one. `target` is read for each connection anew: it may move. */
export async function startNetwork(target: { readonly host: string; readonly port: number }): Promise<Network> {
  const links = new Set<Link>();
  const strikes: Strike[] = [];
  let connections = 0;
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    connections += 1;
    const connection = connections;
    const link = openLink({
      client,
      target,
      onStrike: (kind) => void strikes.push({ kind, connection }),
      onClose: () => void links.delete(link),
    });
    links.add(link);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The network has no port.");
  const { port } = address;
  const admit = async () => {
    if (listener.listening) return;
    listener.listen(port, "127.0.0.1");
    await once(listener, "listening");
  };
  const close = async () => {
    for (const link of links) link.reset();
    if (!listener.listening) return;
    listener.close();
    await once(listener, "close");
  };
  return {
    host: "127.0.0.1",
    port,
    connections: () => connections,
    openConnections: () => links.size,
    lay(fault) {
      const struck = [...links];
      for (const link of struck) link.lay(fault);
      return struck.length;
    },
    reset(kind) {
      for (const link of links) if (link.fault() === kind) link.reset();
    },
    // the port is closed at once, however many connections stay
    refuse: () => void listener.close(),
    admit,
    strikes,
    close,
    [Symbol.asyncDispose]: close,
  };
}
