import type pg from "pg";
import { transactionFailed } from "../../errors/transaction-failed.ts";
import { begin, COMMIT, ROLLBACK } from "../statements.ts";
import type {
  BatchOptions,
  CallOptions,
  Cancellation,
  Clock,
  Result,
  Session,
  Statement,
  Transport,
  TransportStats,
} from "../transport.ts";
import { type WireClient, WireSession } from "../wire-session.ts";
import { requestCancel } from "./cancel-request.ts";
import { nextConnectionNumber } from "./registry.ts";
import type { WarmPool } from "./warm-pool.ts";

/** What the pool transport is made of. */
export interface PoolTransportOptions {
  readonly pool: WarmPool;
  /** Whether a pooler stands between this pool and Postgres. */
  readonly pooled: boolean;
  /** Whether a CancelRequest reaches the statement. */
  readonly cancel: boolean;
  /** Bounds each exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
  readonly clock: Clock;
  /** Gives up this handle's share of the pool; the last one ends it. */
  readonly release: () => Promise<void>;
}

/** How long the ROLLBACK of a connection left in a transaction may take before the connection is destroyed instead, milliseconds. */
const CLEANING_LIMIT_MS = 1_000;

interface Lease {
  readonly session: WireSession;
  readonly release: (destroy?: boolean) => void;
}

/** Statements over a {@link WarmPool}: one write and one round trip each on a warm connection. */
export function poolTransport(options: PoolTransportOptions): Transport {
  const { pool, clock } = options;
  const { ledger } = pool;

  function sessionOf(client: pg.PoolClient): WireSession {
    let session = ledger.sessions.get(client);
    if (session === undefined) {
      session = new WireSession(client as unknown as WireClient, {
        transport: "pool",
        connectionId: `c${nextConnectionNumber()}`,
        pooled: options.pooled,
        cancel: options.cancel ? () => requestCancel(client as unknown as Parameters<typeof requestCancel>[0]) : undefined,
        statementTimeoutMs: options.statementTimeoutMs,
        clock,
      });
      ledger.sessions.set(client, session);
    } else if (session.uses > 0) ledger.reuses++;
    return session;
  }

  function giveBack({ session, release }: Lease): void {
    session.uses++;
    if (session.broken) {
      ledger.discarded++;
      session.destroy();
      release(true);
    } else if (session.status !== "idle" || session.busy) {
      clean(session, clock).then(() => {
        if (session.status !== "idle") session.destroy();
        giveBack({ session, release });
      });
    } else release();
  }

  /** One promise from the queue to the answer: what stands on a query's way is paid for in every query. `use` rejects and never throws. */
  function hold<T>(cancellation: Cancellation, use: (session: WireSession) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      pool.lease((error, client, release) => {
        if (client === undefined) return reject(error);
        const session = sessionOf(client);
        use(session).then(
          (value) => {
            giveBack({ session, release });
            resolve(value);
          },
          (failure) => {
            giveBack({ session, release });
            reject(failure);
          },
        );
      }, cancellation);
    });
  }

  function batch(statements: readonly Statement[], call: BatchOptions): Promise<Result[]> {
    return hold(call.cancellation, async (session) => {
      const results = await session.exchange([begin(call.mode), ...statements, COMMIT], { ...call, phase: "commit", prelude: 1 });
      if (results.at(-1)?.command !== "COMMIT") throw transactionFailed();
      return results.slice(1, -1);
    });
  }

  return {
    name: "pool",
    can: { session: true, cancel: options.cancel },
    query(statement, call) {
      const results = call.readOnly
        ? batch([statement], { ...call, mode: { readOnly: true } })
        : hold(call.cancellation, (session) => session.exchange([statement], { ...call, phase: "autocommit" }));
      return results.then(onlyResult);
    },
    batch,
    session: <T>(use: (session: Session) => Promise<T>, call: CallOptions) => hold(call.cancellation, async (session) => use(session)),
    stats: (): TransportStats => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      connects: ledger.connects,
      reuses: ledger.reuses,
      discarded: ledger.discarded,
    }),
    [Symbol.asyncDispose]: options.release,
  };
}

function onlyResult(results: readonly Result[]): Result {
  return results[0] as Result;
}

/** ROLLBACK on a connection that was left in a transaction, or with a statement on its way. */
async function clean(session: WireSession, clock: Clock): Promise<void> {
  const limit = clock.setTimeout(() => session.destroy(), CLEANING_LIMIT_MS);
  await session.exchange([ROLLBACK], { ...unbounded, phase: "autocommit" }).catch(() => session.destroy());
  clock.clearTimeout(limit);
}

const unbounded: CallOptions = {
  cancellation: {
    deadlineAt: Number.POSITIVE_INFINITY,
    reason: undefined,
    onCancel: () => () => {},
    signal: () => new AbortController().signal,
  },
  rowMode: "array",
  parsers: { getTypeParser: () => (text) => text },
  readOnly: false,
  attempt: 1,
};
