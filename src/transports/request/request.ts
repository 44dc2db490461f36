import type { Audience } from "../../observe/audience.ts";
import { placeOf } from "../../observe/trace-connections.ts";
import { commitAll } from "../commit-all.ts";
import { Paces } from "../paces.ts";
import { leasedSession } from "../pool/leased-session.ts";
import type { PgTransport } from "../pool/pg-queries.ts";
import type { PoolTraits } from "../pool/pool-traits.ts";
import { showsPooler } from "../pool/pooler-sign.ts";
import type { ServerLogin } from "../pool/server-login.ts";
import type { WarmClientConfig } from "../pool/warm-client.ts";
import { blockOf } from "../statements.ts";
import type { BatchOptions, CallOptions, Cancellation, Clock, Result, Session, SessionCall, Statement, Transport } from "../transport.ts";
import type { WireSession } from "../wire-session.ts";
import type { ClientSource } from "./client-source.ts";
import type { Borrowed } from "./connection.ts";
import { connectionLife } from "./connection-life.ts";
import { openClient, type RequestClient } from "./open-client.ts";
import { RequestScope, type ScopeContext } from "./request-scope.ts";

/** What the request transport is made of. */
export interface RequestTransportOptions extends Omit<PoolTraits, "sessionState" | "asksAhead"> {
  /** How to connect. */
  readonly config: WarmClientConfig;
  /** The servers that are tried for each connection, in order, with what differs between them; undefined where `config` names the one. */
  readonly servers?: readonly ServerLogin[] | undefined;
  /** How to connect past a cache, for calls that say `cache: "bypass"`; null where nothing is cached. Throws where no such way was named. */
  readonly uncached: (() => WarmClientConfig) | null;
  /** Tells the request a call is made in. */
  readonly scopes: ScopeContext;
  /** Keeps the request of a call without a scope alive until its connection has ended. */
  readonly waitUntil: (promise: Promise<unknown>) => void;
  /** Most connections one request opens. */
  readonly max: number;
  readonly acquireTimeoutMs: number;
  /** Most calls of one request that wait for a connection. */
  readonly maxWaiting: number;
  readonly clock: Clock;
  /** Who is told of what happens to connections. */
  readonly events: Audience;
  /** Told of each call that is made outside of a scope. */
  readonly onUnscoped: () => void;
}

/** What is known of a call when it asks for a connection. */
type LeasingCall = Pick<CallOptions, "cancellation" | "cache">;

/** What a connection is used for. */
interface Holding<T> {
  /** For a callback of the caller's, however long that takes. */
  readonly held: boolean;
  /** Whether its first exchange may leave with a login. */
  readonly early?: boolean;
  readonly use: (client: RequestClient) => Promise<T>;
}

/** Told of connections themselves, as the listeners of a pool are. */
interface ClientWatch {
  /** It is logged in, and nobody has used it. */
  readonly opened: (client: RequestClient) => void;
  /** Somebody has it to himself. */
  readonly taken: (client: RequestClient) => void;
  readonly givenBack: (client: RequestClient) => void;
  /** It broke while nobody used it. */
  readonly lost: (client: RequestClient) => void;
}

/** The transport, and what code needs that is written for pg. */
export interface RequestTransport extends Transport, PgTransport {
  /** How it connects. */
  readonly config: WarmClientConfig;
  /** Gives a connection to whoever gives it back by himself. */
  borrow(call: { readonly cancellation: Cancellation; readonly held: boolean }): Promise<Borrowed>;
  watch: ClientWatch | undefined;
}

/**
 * Statements over a connection that belongs to the request they are sent in, and ends with it. Nothing of one request, no socket, promise or
 * timer, is touched by another: between them only numbers are shared.
 */
export function requestTransport(options: RequestTransportOptions): RequestTransport {
  const { scopes, clock, max, acquireTimeoutMs, maxWaiting, pooled, named, statementTimeoutMs } = options;
  const life = connectionLife(options.events);
  const paces = new Paces();
  let begun = 0;
  /** Whether a connection of any request showed a pooler. */
  let metPooler = false;
  const isDirect = () => options.known || !metPooler;
  const sessions = new WeakMap<object, WireSession>();

  const sourceOf = (config: () => WarmClientConfig, servers?: readonly ServerLogin[]): ClientSource => ({
    max,
    acquireTimeoutMs,
    maxWaiting,
    paces,
    clock,
    place: placeOf(options.config, "request"),
    open({ besides, onBreak }) {
      const connectionId = `r${++begun}`;
      const opened: RequestClient = openClient({
        config: config(),
        servers,
        connectionId,
        pooled,
        named: () => named && isDirect(),
        cancel: options.cancel ? besides : undefined,
        statementTimeoutMs,
        clock,
        onPace: (pace) => paces.note(pace),
        onOpen(durationMs) {
          sessions.set(opened.client, opened.session);
          metPooler ||= showsPooler(opened.client);
          paces.noteConnect(durationMs);
          life.opened(connectionId, durationMs);
          transport.watch?.opened(opened);
        },
        onBreak,
      });
      sessions.set(opened.client, opened.session);
      return opened;
    },
    onUsed(client) {
      const { connectionId, isOpen, session } = client;
      if (session.uses++ > 0) life.reused(connectionId);
      // left inside a transaction, or with a statement on its way: the server undoes it when the connection ends
      if (session.status !== "idle" || session.busy) session.destroy();
      if (session.broken && isOpen) life.discarded(connectionId, session.breach);
      transport.watch?.givenBack(client);
    },
    onLost(client) {
      life.discarded(client.connectionId, "lost");
      transport.watch?.lost(client);
    },
  });
  const main = sourceOf(() => options.config, options.servers);
  const past = options.uncached && sourceOf(options.uncached);

  /** Runs a call in its request's scope, or in one of its own, which ends with it. */
  async function inScope<T>(work: (scope: RequestScope) => Promise<T>): Promise<T> {
    const around = scopes.getStore();
    if (around !== undefined) return work(around);
    options.onUnscoped();
    return work(new RequestScope({ waitUntil: options.waitUntil }));
  }

  const sourceFor = ({ cache }: LeasingCall): ClientSource => (cache === "bypass" && past !== null ? past : main);

  function leaseIn<T>(scope: RequestScope, call: LeasingCall, { held, early = false, use }: Holding<T>): Promise<T> {
    return scope.connections.lease(sourceFor(call), { cancellation: call.cancellation, held, early }, (client) => {
      transport.watch?.taken(client);
      return use(client);
    });
  }

  const lease = <T>(call: LeasingCall, holding: Holding<T>): Promise<T> => inScope((scope) => leaseIn(scope, call, holding));

  const queryAlone =
    (statement: Statement, call: CallOptions) =>
    ({ session }: RequestClient): Promise<Result> =>
      session.exchange([statement], call).then(onlyResult);

  /** A query that others may stand behind once its text is known to be fast, or that stands behind others. */
  function queryShared(statement: Statement, call: CallOptions): Promise<Result> {
    const alone = queryAlone(statement, call);
    return inScope(async (scope) => {
      let usedSession: WireSession | undefined;
      try {
        return await scope.connections.share(sourceFor(call), {
          cancellation: call.cancellation,
          text: statement.text,
          alone: (client) => {
            usedSession = client.session;
            transport.watch?.taken(client);
            return alone(client);
          },
          behind: ({ connectionId, session }) => {
            usedSession = session;
            life.pipelined();
            if (session.uses++ > 0) life.reused(connectionId);
            return new Promise((resolve, reject) =>
              session.share(statement, call, { resolve: (results) => resolve(onlyResult(results)), reject }),
            );
          },
        });
      } catch (error) {
        // refused for nothing of its own, so that nothing of it stays: it is sent again, elsewhere
        if (usedSession?.isOthersDoing(error)) return leaseIn(scope, call, { held: false, early: true, use: alone });
        throw error;
      }
    });
  }

  const batch = (statements: readonly Statement[], call: BatchOptions): Promise<Result[]> =>
    lease(call, {
      held: false,
      early: true,
      use(client) {
        if (call.leavesState) client.leaves = "state";
        return commitAll(client.session, statements, call);
      },
    });

  const transport: RequestTransport = {
    name: "request",
    config: options.config,
    watch: undefined,
    can: { session: true, cancel: options.cancel },
    async query(statement, call) {
      const block = blockOf(call);
      if (block !== undefined) return onlyResult(await batch([statement], block));
      if (options.pipelined && isDirect()) return queryShared(statement, call);
      return lease(call, { held: false, early: true, use: queryAlone(statement, call) });
    },
    batch,
    session: <T>(use: (session: Session) => Promise<T>, call: SessionCall) =>
      inScope((scope) => {
        const { onRequestEnd } = call;
        const held = leaseIn(scope, call, {
          held: true,
          use: async (client) => {
            const { session: wire } = client;
            const onState = () => {
              client.leaves = "state";
            };
            const session = leasedSession({ current: () => wire, send: (send) => send(wire), onState });
            return use(session).finally(session.settled);
          },
        });
        return onRequestEnd ? held.finally(scope.onLeave(onRequestEnd)) : held;
      }),
    simple: (script, call) => lease(call, { held: false, use: ({ session }) => session.exchange([], { ...call, ends: "free", script }) }),
    // a use is counted where it is given back
    noteUse: () => {},
    sessionOf: (client) => sessions.get(client) as WireSession,
    borrow: ({ cancellation, held }) =>
      inScope(async ({ connections }) => {
        const borrowed = await connections.borrow(main, { cancellation, held, early: false });
        transport.watch?.taken(borrowed.client);
        return borrowed;
      }),
    async warmUp(call) {
      // outside of a scope there is nothing to warm: the connection would end with this call
      if (scopes.getStore() !== undefined) await lease(call, { held: false, use: async () => {} });
    },
    async release() {
      await scopes.getStore()?.connections.end([main, past]);
    },
    stats: () => ({ ...scopes.getStore()?.connections.count([main, past]), ...life.counts }),
    async [Symbol.asyncDispose]() {
      await scopes.getStore()?.connections.retire([main, past]);
    },
  };
  return transport;
}

function onlyResult(results: readonly Result[]): Result {
  return results[0] as Result;
}
