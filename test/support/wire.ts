import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { PostgresMessage } from "./postgres-messages.ts";
import { createConnection, type WireConnection } from "./wire-connection.ts";

/** What a wire is laid to. */
export interface WireTarget {
  readonly host: string;
  readonly port: number;
}

/** Which connections are held: those open now, or later ones too. */
export type Reach = "all" | "open";

/** A TCP proxy on 127.0.0.1 that counts, watches and breaks what passes. Reads Postgres in plain text; anything else passes unread. */
export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** Round trips since the last reset: see `createTripCounter` for what counts as one. */
  roundTrips(): number;
  /** TCP connections accepted since the last reset, cancel requests among them. */
  connections(): number;
  /** CancelRequests seen since the last reset. */
  cancelRequests(): number;
  /** Connections of clients that are open now. */
  openConnections(): number;
  /** The most there were at once whose clients had not ended them. */
  mostConnections(): number;
  /** Sets the counts to zero, but for what is open. */
  reset(): void;
  /** Calls `listener` with every readable message before it is passed on; gives the function that ends this. */
  onMessage(listener: (message: PostgresMessage) => void): () => void;
  /** Resets (RST) every open connection on both sides. */
  cut(): void;
  /**
   * Resets the connection on which the first message matches, once. The message is lost, what came before it arrives; with `passOn` the message
   * itself still arrives, and only whoever would answer or be answered learns nothing more; with `half` of it the first half arrives. Resolves
   * when it has happened.
   */
  cutAt(matches: (message: PostgresMessage) => boolean, options?: { readonly passOn?: boolean | "half" }): Promise<void>;
  /** Swallows everything both ways, ends and resets included, until `resume`, which delivers it. Default: connections to come too. */
  hold(reach?: Reach): void;
  /** Swallows only what the server says: statements arrive and are carried out, their answers are not seen. */
  holdServer(reach?: Reach): void;
  /** Undoes every hold. */
  resume(): void;
  /** Ends all connections and the listener. Safe to call more than once. */
  close(): Promise<void>;
}

/** Lays a wire to `target`. `delayMs` is added to everything the server says, like distance. Default: 0. */
export async function startWire(target: WireTarget, options: { readonly delayMs?: number } = {}): Promise<Wire> {
  const open = new Set<WireConnection>();
  const using = new Set<Socket>();
  const listeners = new Set<(message: PostgresMessage) => void>();
  const counts = { roundTrips: 0, connections: 0, cancelRequests: 0, most: 0 };
  const cuts = new Set<{
    readonly matches: (message: PostgresMessage) => boolean;
    readonly passOn: boolean | "half";
    readonly done: () => void;
  }>();
  let heldForAll: "both" | "server" | undefined;

  const judge = (message: PostgresMessage) => {
    if (message.type === "cancel") counts.cancelRequests += 1;
    for (const listener of listeners) listener(message);
    for (const cut of cuts) {
      if (!cut.matches(message)) continue;
      cuts.delete(cut);
      return cut;
    }
    return undefined;
  };

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    counts.connections += 1;
    const connection = createConnection({
      client,
      target,
      delayMs: options.delayMs ?? 0,
      judge,
      onRoundTrip: () => {
        counts.roundTrips += 1;
      },
      onClose: () => open.delete(connection),
    });
    open.add(connection);
    using.add(client);
    counts.most = Math.max(counts.most, using.size);
    for (const end of ["end", "close"]) client.once(end, () => using.delete(client));
    if (heldForAll !== undefined) connection.hold(heldForAll);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("The wire has no port.");

  const hold = (what: "both" | "server", reach: Reach) => {
    if (reach === "all") heldForAll = what;
    for (const connection of open) connection.hold(what);
  };
  const cutAll = () => {
    for (const connection of open) connection.cut();
  };
  const close = async () => {
    cutAll();
    if (!listener.listening) return;
    listener.close();
    await once(listener, "close");
  };
  return {
    port: address.port,
    roundTrips: () => counts.roundTrips,
    connections: () => counts.connections,
    cancelRequests: () => counts.cancelRequests,
    openConnections: () => open.size,
    mostConnections: () => counts.most,
    reset: () => void Object.assign(counts, { roundTrips: 0, connections: 0, cancelRequests: 0, most: 0 }),
    onMessage(added) {
      listeners.add(added);
      return () => void listeners.delete(added);
    },
    cut: cutAll,
    cutAt: (matches, { passOn = false } = {}) => new Promise((done) => void cuts.add({ matches, passOn, done })),
    hold: (reach = "all") => hold("both", reach),
    holdServer: (reach = "all") => hold("server", reach),
    resume() {
      heldForAll = undefined;
      for (const connection of open) connection.resume();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
