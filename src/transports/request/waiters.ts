import { AsyncResource } from "node:async_hooks";
import { ConnectionError } from "../../errors/errors.ts";
import { isTraced, traceConnection } from "../../observe/trace-connections.ts";
import { queueFull } from "../pool/lease.ts";
import type { Cancellation } from "../transport.ts";
import type { ClientSource } from "./client-source.ts";
import { MAX_SOCKETS } from "./sockets.ts";

/** How long a call hopes for a connection in use before another is opened, milliseconds: about what opening one takes. */
const PATIENCE_MS = 50;

/** So many times its patience a call waits at most for a connection that is being opened, and that it will share. */
const MOST_PATIENCES = 20;

/** How a connection is asked for. */
export interface LeaseCall {
  readonly cancellation: Cancellation;
  /** It is held for a callback, however long that takes: nobody waits for it while there are sockets. */
  readonly held: boolean;
  /** What it sends first may leave with the login of a new connection. */
  readonly early: boolean;
  /** The query, where it may stand behind others, and others behind it. */
  readonly text?: string;
  /** Goes along on a connection that others share, if that can be; whether it did. */
  readonly along?: () => boolean;
}

/** A call that waits for a connection. */
export interface Waiter<Connection> extends LeaseCall {
  readonly source: ClientSource;
  /** Whether it still hopes for a connection that is in use for one statement. */
  patient: boolean;
  /** Begins to open one for it, as the call that waits. */
  add: () => Connection;
  along: () => boolean;
  readonly enter: (connection: Connection) => void;
  readonly fail: (error: unknown) => void;
}

/** Who has the connections that are waited for. */
export interface WaitersOwner<Connection> {
  /** Begins to open one. */
  readonly add: (source: ClientSource) => Connection;
  /** Lets a call in if it need not wait: it has just come, or has lost its patience. */
  readonly serve: (waiter: Waiter<Connection>) => void;
  /** Whether a connection to a database is being opened. */
  readonly opens: (source: ClientSource) => boolean;
  /** Whether a connection is being opened, or tried, that it will share. */
  readonly opensFor: (waiter: Waiter<Connection>) => boolean;
}

/** A connection, as far as it is told of. */
interface Named {
  readonly client: { readonly connectionId: string };
}

/** The calls of one request that wait for a connection, in the order they came. */
export class Waiters<Connection extends Named> {
  readonly #owner: WaitersOwner<Connection>;
  readonly #waiters = new Set<Waiter<Connection>>();
  /** How many they are, for each database that is waited for. */
  readonly #counts = new Map<ClientSource, number>();

  constructor(owner: WaitersOwner<Connection>) {
    this.#owner = owner;
  }

  /** How many databases are waited for. */
  get sources(): number {
    return this.#counts.size;
  }

  [Symbol.iterator](): Iterator<Waiter<Connection>> {
    return this.#waiters.values();
  }

  has(waiter: Waiter<Connection>): boolean {
    return this.#waiters.has(waiter);
  }

  count(source: ClientSource | null): number {
    return (source && this.#counts.get(source)) ?? 0;
  }

  /** Whether none waits for the same database that came before. */
  isFirst(waiter: Waiter<Connection>): boolean {
    for (const other of this.#waiters) if (other.source === waiter.source) return other === waiter;
    return false;
  }

  /** Waits for a connection, which may not be open yet; undefined for a call that went along with others. */
  take(source: ClientSource, call: LeaseCall): Promise<Connection | undefined> {
    if (!isTraced("acquire")) return this.#take(source, call);
    const idOf = (taken: Connection | undefined) => taken?.client.connectionId;
    return traceConnection("acquire", source.place, { work: () => this.#take(source, call), idOf });
  }

  #take(source: ClientSource, call: LeaseCall): Promise<Connection | undefined> {
    return new Promise((resolve, reject) => {
      const { acquireTimeoutMs, maxWaiting, clock } = source;
      const full = this.count(source) >= maxWaiting;
      const leave = () => {
        clock.clearTimeout(limit);
        clock.clearTimeout(patience);
        stopListening();
        this.#remove(waiter);
      };
      const enter = (connection: Connection | undefined) => {
        leave();
        resolve(connection);
      };
      const waiter: Waiter<Connection> = {
        ...call,
        source,
        patient: !full,
        add: () => this.#owner.add(source),
        along() {
          const goes = call.along?.() === true;
          if (goes) enter(undefined);
          return goes;
        },
        enter,
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      let patiences = 0;
      const losePatience = () => {
        if (++patiences < MOST_PATIENCES && this.#owner.opensFor(waiter)) {
          patience = clock.setTimeout(losePatience, PATIENCE_MS);
          return;
        }
        waiter.patient = false;
        this.#owner.serve(waiter);
      };
      // who waits for one that is being opened waits for that, and then for whoever has it
      const giveUp = () => {
        if (this.#owner.opens(source)) limit = clock.setTimeout(giveUp, acquireTimeoutMs);
        else waiter.fail(acquireTimeout(source));
      };
      let limit = clock.setTimeout(giveUp, acquireTimeoutMs);
      let patience = clock.setTimeout(losePatience, PATIENCE_MS);
      let stopListening = () => {};
      this.#waiters.add(waiter);
      this.#counts.set(source, this.count(source) + 1);
      const { cancellation } = call;
      stopListening = cancellation.onCancel(() => cancellation.reason && waiter.fail(cancellation.reason("not-sent")));
      this.#owner.serve(waiter);
      if (!this.has(waiter)) return;
      if (full) waiter.fail(queueFull(maxWaiting));
      // it will be let in by another call's end, and must not open one, or be sent, as that call
      else {
        waiter.add = AsyncResource.bind(waiter.add);
        waiter.along = AsyncResource.bind(waiter.along);
      }
    });
  }

  #remove(waiter: Waiter<Connection>): void {
    if (!this.#waiters.delete(waiter)) return;
    const left = this.count(waiter.source) - 1;
    if (left > 0) this.#counts.set(waiter.source, left);
    else this.#counts.delete(waiter.source);
  }
}

/** No connection came free in time. */
function acquireTimeout({ acquireTimeoutMs, max }: ClientSource): ConnectionError {
  return new ConnectionError(
    `No connection was free within ${acquireTimeoutMs} ms (acquireTimeoutMs): a request has ${MAX_SOCKETS} sockets, of which this database takes ${max} at most. Shorten transactions, or run fewer at once.`,
    { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true },
  );
}
