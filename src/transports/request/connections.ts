import { Lines } from "../lines.ts";
import type { ClientSource } from "./client-source.ts";
import { type Borrowed, type Connection, type SharedCall, willBeShared } from "./connection.ts";
import type { RequestClient } from "./open-client.ts";
import { Sockets } from "./sockets.ts";
import { type LeaseCall, type Waiter, Waiters } from "./waiters.ts";

/** What the holder of connections is asked and told. */
export interface ConnectionsOwner {
  /** Whether what nobody holds ends at once. */
  readonly mayEnd: () => boolean;
  /** Told when the first connection opens, with a promise that settles when the last has ended. */
  readonly onOpen: (ended: Promise<void>) => void;
}

/**
 * The connections of one request, to all its databases. Calls take turns on one connection for each database; one that is held for a
 * callback, or busy for long, makes the next call open another, up to the platform's limit. Queries known to be fast share one.
 */
export class Connections {
  readonly #owner: ConnectionsOwner;
  readonly #open = new Set<Connection>();
  readonly #waiters = new Waiters<Connection>({
    add: (source) => this.#add(source),
    serve: (waiter) => this.#serve([waiter]),
    opens: (source) => this.#ownOf(source).some(({ client }) => !client.isOpen),
    opensFor: (waiter) => this.#opensFor(waiter),
  });
  readonly #lines = new Map<ClientSource, Lines<Connection>>();
  /** Databases that were given up: their connections end when nobody holds them. */
  readonly #retired = new Set<ClientSource>();
  readonly #sockets: Sockets;

  constructor(owner: ConnectionsOwner) {
    this.#owner = owner;
    this.#sockets = new Sockets({ onOpen: owner.onOpen, makeRoom: () => this.#closeSpare(), onFree: () => this.#serve() });
  }

  /** Runs `use` on a connection; `use` leaves it clean, or destroyed. @throws ConnectionError ACQUIRE_TIMEOUT, QUEUE_FULL when none is free */
  async lease<T>(source: ClientSource, call: LeaseCall, use: (client: RequestClient) => Promise<T>): Promise<T> {
    const connection = (await this.#waiters.take(source, call)) as Connection;
    await this.#ready(connection, call);
    try {
      return await use(connection.client);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Gives a connection to whoever gives it back by himself, clean or destroyed. @throws as `lease` */
  async borrow(source: ClientSource, call: LeaseCall): Promise<Borrowed> {
    const connection = (await this.#waiters.take(source, call)) as Connection;
    await this.#ready(connection, call);
    return { client: connection.client, giveBack: () => this.#giveBack(connection) };
  }

  /**
   * Runs a query behind others that are known to be fast, if it is, too; else on a connection of its own, which others may share if it is.
   * @throws ConnectionError ACQUIRE_TIMEOUT, QUEUE_FULL when none is free
   */
  async share<T>(source: ClientSource, call: SharedCall<T>): Promise<T> {
    const lines = this.#linesOf(source);
    const { cancellation, text, alone, behind } = call;
    const shared = { cancellation, text, held: false, early: true };
    let sent: Promise<T> | undefined;
    const along = () => {
      const costMs = source.paces.costOf(text);
      const line = costMs === undefined ? undefined : lines.best();
      if (costMs === undefined || line === undefined) return false;
      lines.enter(line, costMs);
      sent = behind(line.lease.client).finally(() => lines.leave(line, costMs));
      return true;
    };
    const connection = await this.#waiters.take(source, { ...shared, along });
    if (connection === undefined) return sent as Promise<T>;
    await this.#ready(connection, shared);
    const { client } = connection;
    const costMs = source.paces.costOf(text);
    // what is not open yet nobody shares
    if (costMs !== undefined && client.isOpen) {
      const line = lines.open(connection, client.session, costMs);
      return alone(client).finally(() => lines.leave(line, costMs));
    }
    try {
      return await alone(client);
    } finally {
      this.#giveBack(connection);
    }
  }

  /** Ends the connections nobody holds, to some databases or to all; resolves when they have ended. */
  async end(sources?: readonly (ClientSource | null)[]): Promise<void> {
    this.#sockets.letGo();
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
    const waiting = sources.reduce((sum, source) => sum + this.#waiters.count(source), 0);
    return { total: own.length, idle: own.filter(({ state }) => state === "idle").length, waiting };
  }

  #linesOf(source: ClientSource): Lines<Connection> {
    const { clock, paces } = source;
    const lines =
      this.#lines.get(source) ??
      new Lines<Connection>({
        now: clock.now,
        slowMs: () => paces.slowMs,
        giveBack: (connection) => this.#giveBack(connection),
        isAwaited: () => this.#waiters.count(source) > 0,
        callAlong: () => this.#serve(),
      });
    this.#lines.set(source, lines);
    return lines;
  }

  async #ready(connection: Connection, { text, ...call }: Pick<LeaseCall, "cancellation" | "early" | "text">): Promise<void> {
    connection.text = text;
    connection.readyAt = undefined;
    try {
      await connection.client.ready(call);
    } catch (error) {
      this.#free(connection);
      throw error;
    }
    connection.readyAt = connection.source.clock.now();
  }

  /** Whether a connection is being opened, or tried, that this query will share. */
  #opensFor({ source, text }: Waiter<Connection>): boolean {
    return text !== undefined && this.#ownOf(source).some((connection) => willBeShared(connection, text));
  }

  #ownOf(source: ClientSource): Connection[] {
    return [...this.#open].filter((connection) => connection.source === source);
  }

  /** Lets in everybody who need not wait, first come first served among the calls of one database; or one for whom alone something changed. */
  #serve(waiters: Iterable<Waiter<Connection>> = this.#waiters): void {
    /** Databases for which the first of the queue has to wait: so have those behind it. */
    const busy = new Set<ClientSource>();
    for (const waiter of waiters) {
      if (!this.#waiters.has(waiter) || busy.has(waiter.source)) continue;
      try {
        const own = this.#ownOf(waiter.source);
        const idle = own.find(({ state }) => state === "idle");
        // past nobody who needs one of its own
        if (idle === undefined && this.#waiters.isFirst(waiter) && waiter.along()) continue;
        const connection = idle ?? this.#another(waiter, own);
        if (connection === undefined) {
          if (busy.add(waiter.source).size === this.#waiters.sources) return;
          continue;
        }
        connection.state = waiter.held ? "held" : "brief";
        waiter.enter(connection);
      } catch (error) {
        // a setting is wrong, and no connection was begun, which was to keep the request alive
        this.#sockets.letGo();
        waiter.fail(error);
      }
    }
  }

  #another({ source, patient, add }: Waiter<Connection>, own: readonly Connection[]): Connection | undefined {
    // one that is free in a moment is sooner there than a new one
    if (own.length >= source.max || (patient && own.some(({ state }) => state === "brief"))) return undefined;
    if (this.#sockets.areAllTaken) {
      // its socket counts until it is closed; then this call is served
      this.#closeSpare();
      return undefined;
    }
    return add();
  }

  #add(source: ClientSource): Connection {
    // first: without it nothing keeps the request alive until a connection has ended
    this.#sockets.keepAlive();
    const connection: Connection = {
      source,
      client: source.open({ besides: (request) => this.#sockets.besides(request), onBreak: () => this.#break(connection) }),
      state: "idle",
      text: undefined,
      readyAt: undefined,
      dead: false,
      closed: Promise.withResolvers(),
    };
    this.#sockets.take();
    this.#open.add(connection);
    return connection;
  }

  #giveBack(connection: Connection): void {
    const { client, source } = connection;
    source.onUsed(client);
    const { leaves } = client;
    // what is on its way goes on to its end, also where the connection ends with it
    const needsCleaning = leaves === "work" || (leaves === "state" && !this.#endsNow(connection));
    if (needsCleaning && !client.session.broken && !connection.dead) {
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
      this.#sockets.free();
    });
  }

  #closeSpare(): void {
    const spare = [...this.#open].find(({ state }) => state === "idle");
    if (spare !== undefined) this.#close(spare);
  }
}
