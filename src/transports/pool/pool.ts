import type pg from "pg";
import { NamedStatements } from "../../wire/named-statements.ts";
import { commitAll } from "../commit-all.ts";
import { Lines } from "../lines.ts";
import { statementEnd } from "../statement-end.ts";
import { blockOf } from "../statements.ts";
import type { BatchOptions, CallOptions, Clock, Result, Session, SessionCall, Statement, Transport } from "../transport.ts";
import type { WireClient } from "../wire-client.ts";
import { WireSession, type WireSessionOptions } from "../wire-session.ts";
import { requestCancel } from "./cancel-request.ts";
import { sendingInDoubt } from "./in-doubt.ts";
import type { Asker, Lease } from "./lease.ts";
import { leasedSession } from "./leased-session.ts";
import type { PoolState } from "./pool-state.ts";
import type { PoolTraits } from "./pool-traits.ts";
import { type QueryGround, queryPool } from "./query.ts";
import { WatchedSession } from "./watched-session.ts";

/** The part of a pool that statements are sent over. */
export interface SendingPool {
  readonly state: PoolState;
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly isCrowded: boolean;
  readonly isHeard: boolean;
  lease(asker: Asker): void;
  confirm(lease: Lease, ask: (client: pg.PoolClient) => Promise<boolean>, persists?: () => boolean): Promise<void>;
  callAlong(): void;
  endIdle(): Promise<void>;
}

/** What the pool transport is made of. */
export interface PoolTransportOptions extends PoolTraits {
  readonly pool: SendingPool;
  readonly clock: Clock;
}

/** A transport over a pool that somebody else ends. */
export interface PoolTransport extends Omit<Transport, typeof Symbol.asyncDispose> {
  /** A text of the simple protocol, with the caller's own control of transactions; a result for each statement. */
  simple(text: string, call: CallOptions): Promise<Result[]>;
  /** The session on a connection that somebody holds. */
  sessionOf(client: pg.PoolClient): WireSession;
  /** Counts a use of a connection. */
  noteUse(client: pg.PoolClient): void;
}

/** Work on a lease, and whether its first exchange asks the connection by itself. */
interface Holding<T> {
  readonly asksItself: boolean;
  /** Whether that exchange may leave with a login. */
  readonly early?: boolean;
  /** For a callback of the caller's, however long that takes. */
  readonly held?: boolean;
  /** Rejects, and never throws. */
  readonly use: (lease: Lease) => Promise<T>;
}

/** Statements over a pool: one write and one round trip each on a warm connection. */
export function poolTransport(options: PoolTransportOptions): PoolTransport {
  const { pool, clock } = options;
  const { state } = pool;

  /** Whether it is Postgres itself, as far as anybody knows. */
  const isDirect = () => options.known || !state.showsPooler;

  const asksAhead = () => options.asksAhead && !state.showsSupavisor;

  const sharedCost = (text: string) => (options.pipelined && isDirect() ? state.paces.costOf(text) : undefined);

  function sessionOf(client: pg.PoolClient): WireSession {
    let session = state.sessions.get(client);
    if (session === undefined) {
      const { onStatement } = state;
      const names = new NamedStatements();
      const traits: WireSessionOptions = {
        transport: "pool",
        connectionId: state.idOf(client),
        pooled: options.pooled,
        get named() {
          return options.named && isDirect() ? names : undefined;
        },
        onPace: (pace) => state.paces.note(pace),
        end: statementEnd({
          requestCancel: options.cancel ? () => requestCancel(client as unknown as Parameters<typeof requestCancel>[0]) : undefined,
          statementTimeoutMs: options.statementTimeoutMs,
          clock,
        }),
      };
      const wire = client as unknown as WireClient;
      session = onStatement ? new WatchedSession(wire, traits, onStatement) : new WireSession(wire, traits);
      state.sessions.set(client, session);
    }
    return session;
  }

  function noteState(lease: Lease): void {
    lease.leaves = options.sessionState ? "state" : "pinned";
  }

  function noteUse(session: WireSession, client: pg.PoolClient): void {
    if (session.uses++ > 0) state.noteReuse(client);
  }

  function giveBack(lease: Lease): void {
    const session = sessionOf(lease.client);
    noteUse(session, lease.client);
    if (session.broken) session.destroy();
    lease.release(session.broken);
  }

  const { askFirst, sendAsking, sendFirst } = sendingInDoubt(pool, sessionOf);

  state.lines ??= new Lines({
    now: clock.now,
    slowMs: () => state.paces.slowMs,
    giveBack,
    isAwaited: () => pool.waitingCount > 0,
    callAlong: () => pool.callAlong(),
  });
  const ground: QueryGround = { pool, lines: state.lines, sessionOf, giveBack, sharedCost, asksAhead, askFirst: sendAlone };

  function sendAlone(lease: Lease, statement: Statement, call: CallOptions): Promise<Result> {
    return askFirst(lease, (session, onAlive) => session.exchange([statement], { ...call, onAlive })).then(onlyResult);
  }

  /** Uses a lease, and gives it back before anybody hears of it. */
  function run<T>(lease: Lease, use: (lease: Lease) => Promise<T>): Promise<T> {
    return use(lease).then(
      (value) => {
        giveBack(lease);
        return value;
      },
      (failure) => {
        giveBack(lease);
        throw failure;
      },
    );
  }

  /** One promise from the queue to the answer: what stands on a query's way is paid for in every query. */
  function hold<T>({ cancellation }: CallOptions, { asksItself, early, held, use }: Holding<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      pool.lease({
        granted(error, lease) {
          if (lease === undefined) reject(error);
          else run(lease, use).then(resolve, reject);
        },
        cancellation,
        asksItself: asksItself && asksAhead(),
        early,
        held,
      });
    });
  }

  function batch(statements: readonly Statement[], call: BatchOptions): Promise<Result[]> {
    const repeatable = call.mode.readOnly === true || call.idempotent;
    return hold(call, {
      asksItself: repeatable,
      early: true,
      use: (lease) => {
        if (call.leavesState) noteState(lease);
        return sendAsking(lease, (session, onAlive) => commitAll(session, statements, call, onAlive));
      },
    });
  }

  return {
    name: "pool",
    can: { session: true, cancel: options.cancel },
    query(statement, call) {
      const block = blockOf(call);
      if (block !== undefined) return batch([statement], block).then(onlyResult);
      return queryPool(ground, statement, call);
    },
    sessionOf,
    noteUse: (client) => noteUse(sessionOf(client), client),
    simple: (script, call) =>
      hold(call, { asksItself: false, use: ({ client }) => sessionOf(client).exchange([], { ...call, ends: "free", script }) }),
    batch,
    session: <T>(use: (session: Session) => Promise<T>, call: SessionCall) =>
      hold(call, {
        asksItself: call.begins,
        held: true,
        use: async (lease) => {
          // its callback has begun: only here can it still be bridged that no other connection is to be had at first
          const persists = () => call.cancellation.reason === undefined;
          const session = leasedSession({
            current: () => sessionOf(lease.client),
            send: (send) => sendFirst(lease, send, persists),
            onState: () => noteState(lease),
          });
          return use(session).finally(session.settled);
        },
      }),
    warmUp: (call) => hold(call, { asksItself: false, use: async () => {} }),
    release: () => pool.endIdle(),
    stats() {
      const { connects, reuses, pipelined, thaws, probes, discarded, leaks } = state;
      const { totalCount: total, idleCount: idle, waitingCount: waiting } = pool;
      return { total, idle, waiting, connects, reuses, pipelined, thaws, probes, discarded, leaks };
    },
  };
}

function onlyResult(results: readonly Result[]): Result {
  return results[0] as Result;
}
