import { AsyncResource } from "node:async_hooks";
import { ConnectionError } from "../../errors/errors.ts";
import { queueFull } from "../pool/lease.ts";
import type { Cancellation } from "../transport.ts";
import type { ClientSource } from "./client-source.ts";
import type { RequestClient } from "./open-client.ts";

/** Sockets one request may have open at once. Source: Cloudflare's documentation, "Simultaneous open connections". */
const MAX_SOCKETS = 6;

/** How long a call hopes for a connection in use before another is opened, milliseconds: about what opening one takes. */
const PATIENCE_MS = 50;

/** How a connection is asked for. */
export interface LeaseCall {
  readonly cancellation: Cancellation;
  /** It is held for a callback, however long that takes: nobody waits for it while there are sockets. */
  readonly held: boolean;
  /** What it sends first may leave with the login of a new connection. */
  readonly early: boolean;
}

interface Connection {
  readonly source: ClientSource;
  readonly client: RequestClient;
  state: "idle" | "brief" | "held";
  /** It broke, in use or not. */
  dead: boolean;
  readonly closed: PromiseWithResolvers<void>;
}

interface Waiter extends LeaseCall {
  readonly source: ClientSource;
  /** Whether it still hopes for a connection that is in use for one statement. */
  patient: boolean;
  /** Begins to open one for it, as the call that waits. */
  add: () => Connection;
  readonly enter: (connection: Connection) => void;
  readonly fail: (error: unknown) => void;
}

/** What the holder of connections is asked and told. */
export interface ConnectionsOwner {
  /** Whether what nobody holds ends at once. */
  readonly mayEnd: () => boolean;
  /** Told when the first connection opens, with a promise that settles when the last has ended. */
  readonly onOpen: (ended: Promise<void>) => void;
}

/**
 * The connections of one request, to all its databases. Calls take turns on one connection for each database; one that is held for a
 * callback, or busy for long, makes the next call open another, up to the platform's limit.
 */
export class Connections {
  readonly #owner: ConnectionsOwner;
  readonly #open = new Set<Connection>();
  /** In the order they came. */
  readonly #waiters = new Set<Waiter>();
  /** How many they are, for each database that is waited for. */
  readonly #waiting = new Map<ClientSource, number>();
  /** Databases that were given up: their connections end when nobody holds them. */
  readonly #retired = new Set<ClientSource>();
  /** Sockets that are open, or not closed yet. */
  #sockets = 0;
  /** Requests besides the connections that wait for a socket: they go first. */
  readonly #besidesWaiting: (() => void)[] = [];
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
  }

  /** Runs `use` on a connection; `use` gives it back clean, or destroyed. @throws ConnectionError ACQUIRE_TIMEOUT, QUEUE_FULL when none is free */
  async lease<T>(source: ClientSource, call: LeaseCall, use: (client: RequestClient) => Promise<T>): Promise<T> {
    const connection = await this.#take(source, call);
    try {
      await connection.client.ready(call);
      return await use(connection.client);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Ends the connections nobody holds, to some databases or to all; resolves when they have ended. */
  async end(sources?: readonly (ClientSource | null)[]): Promise<void> {
    if (this.#sockets === 0) this.#letGo();
    const unheld = [...this.#open].filter(({ source, state }) => state === "idle" && (sources?.includes(source) ?? true));
    for (const connection of unheld) this.#close(connection);
    await Promise.all(unheld.map(({ closed }) => closed.promise));
  }

  /** Likewise, and those that are held end when they are given back. */
  retire(sources: readonly (ClientSource | null)[]): Promise<void> {
    for (const source of sources) if (source !== null) this.#retired.add(source);
    return this.end(sources);
  }

  /** How many there are to some databases, and how many calls wait for one. */
  count(sources: readonly (ClientSource | null)[]): { readonly total: number; readonly idle: number; readonly waiting: number } {
    const own = [...this.#open].filter(({ source }) => sources.includes(source));
    const waiting = sources.reduce((sum, source) => sum + this.#waitingFor(source), 0);
    return { total: own.length, idle: own.filter(({ state }) => state === "idle").length, waiting };
  }

  #take(source: ClientSource, call: LeaseCall): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const { acquireTimeoutMs: limitMs, maxWaiting, clock } = source;
      const full = this.#waitingFor(source) >= maxWaiting;
      const leave = () => {
        clock.clearTimeout(limit);
        clock.clearTimeout(patience);
        stopListening();
        this.#forget(waiter);
      };
      const waiter: Waiter = {
        source,
        patient: !full,
        ...call,
        add: () => this.#add(source),
        enter: (connection) => {
          leave();
          resolve(connection);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const limit = clock.setTimeout(() => waiter.fail(acquireTimeout(limitMs, source.max)), limitMs);
      const patience = clock.setTimeout(() => {
        waiter.patient = false;
        this.#serve([waiter]);
      }, PATIENCE_MS);
      let stopListening = () => {};
      this.#waiters.add(waiter);
      this.#waiting.set(source, this.#waitingFor(source) + 1);
      const { cancellation } = call;
      stopListening = cancellation.onCancel(() => cancellation.reason && waiter.fail(cancellation.reason("not-sent")));
      this.#serve([waiter]);
      if (!this.#waiters.has(waiter)) return;
      if (full) waiter.fail(queueFull(maxWaiting));
      // it will be let in by another call's end, and must not open one as that call
      else waiter.add = AsyncResource.bind(waiter.add);
    });
  }

  #waitingFor(source: ClientSource | null): number {
    return (source && this.#waiting.get(source)) ?? 0;
  }

  #forget(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    const left = this.#waitingFor(waiter.source) - 1;
    if (left > 0) this.#waiting.set(waiter.source, left);
    else this.#waiting.delete(waiter.source);
  }

  /** Lets in everybody who need not wait, first come first served among the calls of one database; or one for whom alone something changed. */
  #serve(waiters: Iterable<Waiter> = this.#waiters): void {
    /** Databases for which the first of the queue has to wait: so have those behind it. */
    const busy = new Set<ClientSource>();
    for (const waiter of waiters) {
      if (!this.#waiters.has(waiter) || busy.has(waiter.source)) continue;
      try {
        const connection = this.#connectionFor(waiter);
        if (connection === undefined) {
          if (busy.add(waiter.source).size === this.#waiting.size) return;
          continue;
        }
        connection.state = waiter.held ? "held" : "brief";
        waiter.enter(connection);
      } catch (error) {
        // a setting is wrong, and no connection was begun
        waiter.fail(error);
      }
    }
  }

  #connectionFor({ source, patient, add }: Waiter): Connection | undefined {
    const own = [...this.#open].filter((connection) => connection.source === source);
    const idle = own.find(({ state }) => state === "idle");
    if (idle !== undefined) return idle;
    // one that is free in a moment is sooner there than a new one
    if (own.length >= source.max || (patient && own.some(({ state }) => state === "brief"))) return undefined;
    if (this.#sockets >= MAX_SOCKETS) {
      // its socket counts until it is closed; then this call is served
      this.#closeSpare();
      return undefined;
    }
    return add();
  }

  #add(source: ClientSource): Connection {
    // first: without it nothing keeps the request alive until a connection has ended
    if (this.#ended === undefined) {
      const ended = Promise.withResolvers<void>();
      this.#owner.onOpen(ended.promise);
      this.#ended = ended;
    }
    const connection: Connection = {
      source,
      client: source.open({ besides: (request) => this.#besides(request), onBreak: () => this.#break(connection) }),
      state: "idle",
      dead: false,
      closed: Promise.withResolvers(),
    };
    this.#sockets++;
    this.#open.add(connection);
    return connection;
  }

  #giveBack(connection: Connection): void {
    const { client } = connection;
    if (client.leavesState && !client.session.broken && !connection.dead && !this.#endsNow(connection)) {
      connection.state = "brief";
      client.clean().then(() => {
        if (client.session.broken) this.#lose(connection);
        this.#free(connection);
      });
    } else this.#free(connection);
  }

  #free(connection: Connection): void {
    connection.state = "idle";
    if (connection.client.session.broken) this.#close(connection);
    else if (connection.dead) this.#lose(connection);
    this.#serve();
    if (connection.state === "idle" && this.#endsNow(connection)) this.#close(connection);
  }

  /** Whether it ends as soon as nobody holds it. */
  #endsNow({ source }: Connection): boolean {
    return this.#owner.mayEnd() || this.#retired.has(source);
  }

  #break(connection: Connection): void {
    connection.dead = true;
    if (connection.state === "idle" && this.#open.has(connection)) this.#lose(connection);
  }

  #lose(connection: Connection): void {
    const { client, source } = connection;
    client.session.broken = true;
    source.onLost(client);
    this.#close(connection);
  }

  #close(connection: Connection): void {
    if (!this.#open.delete(connection)) return;
    connection.client.close().then(() => {
      connection.closed.resolve();
      this.#socketFree();
    });
  }

  async #besides(request: () => Promise<void>): Promise<void> {
    if (this.#sockets >= MAX_SOCKETS) {
      this.#closeSpare();
      // at the latest the connection's own is free when it has been given up
      await new Promise<void>((resolve) => this.#besidesWaiting.push(resolve));
    } else this.#sockets++;
    return request().finally(() => this.#socketFree());
  }

  #socketFree(): void {
    const besides = this.#besidesWaiting.shift();
    if (besides === undefined) this.#sockets--;
    else besides();
    if (this.#sockets === 0) this.#letGo();
    this.#serve();
  }

  /** Nothing is open, and nothing keeps the request alive any more. */
  #letGo(): void {
    this.#ended?.resolve();
    this.#ended = undefined;
  }

  #closeSpare(): void {
    const spare = [...this.#open].find(({ state }) => state === "idle");
    if (spare !== undefined) this.#close(spare);
  }
}

function acquireTimeout(limitMs: number, max: number): ConnectionError {
  return new ConnectionError(
    `No connection was free within ${limitMs} ms (acquireTimeoutMs): a request has ${MAX_SOCKETS} sockets, of which this database takes ${max} at most. Shorten transactions, or run fewer at once.`,
    { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true },
  );
}
