import { AsyncResource } from "node:async_hooks";
import type pg from "pg";
import type { Line, Lines } from "../lines.ts";
import type { Answering } from "../sending.ts";
import type { CallOptions, Cancellation, Result, Statement } from "../transport.ts";
import type { WireSession } from "../wire-session.ts";
import type { Asker, Lease } from "./lease.ts";
import type { PoolState } from "./pool-state.ts";

/** The part of a pool that single queries need. */
interface QueryPool {
  readonly state: PoolState;
  readonly isCrowded: boolean;
  /** Whether anybody hears of what becomes of connections. */
  readonly isHeard: boolean;
  lease(asker: Asker): void;
}

/** What single queries stand on. */
export interface QueryGround {
  readonly pool: QueryPool;
  readonly lines: Lines<Lease>;
  readonly sessionOf: (client: pg.PoolClient) => WireSession;
  /** Gives a lease back. */
  readonly giveBack: (lease: Lease) => void;
  /**
   * What a text costs that others may stand behind by now, and it behind them, milliseconds; undefined for one that goes alone. Asked when it is
   * sent, for who waits may learn of it.
   */
  readonly sharedCost: (text: string) => number | undefined;
  /** Whether a connection in doubt may be asked in the same write. */
  readonly asksAhead: () => boolean;
  /** Sends on a connection in doubt, and asks it in the same write. */
  readonly askFirst: (lease: Lease, statement: Statement, call: CallOptions) => Promise<Result>;
}

/** Sends one statement: on a connection of its own as long as there is one, else behind others, unless it has to be `alone`. */
export function queryPool(ground: QueryGround, statement: Statement, call: CallOptions, alone = false): Promise<Result> {
  const query = new PoolQuery(ground, statement, call, alone);
  query.begin();
  return query.answer;
}

/** One statement on its way from the queue to its answer. One object and one promise: what stands on its way is paid for in every query. */
class PoolQuery implements Asker, Answering {
  readonly #ground: QueryGround;
  readonly #statement: Statement;
  readonly #call: CallOptions;
  readonly #alone: boolean;
  readonly #answer = Promise.withResolvers<Result>();
  /** Where somebody hears of a connection that is given back: as the call that held it. */
  readonly #context: AsyncResource | undefined;
  #lease: Lease | undefined;
  #line: Line<Lease> | undefined;
  /** What it was counted as there. */
  #costMs = 0;
  #session: WireSession | undefined;

  constructor(ground: QueryGround, statement: Statement, call: CallOptions, alone: boolean) {
    this.#ground = ground;
    this.#statement = statement;
    this.#call = call;
    this.#alone = alone;
    if (ground.pool.isHeard) this.#context = new AsyncResource("warmline.query");
  }

  get answer(): Promise<Result> {
    return this.#answer.promise;
  }

  get cancellation(): Cancellation {
    return this.#call.cancellation;
  }

  get asksItself(): boolean {
    return this.#call.idempotent && this.#ground.asksAhead();
  }

  get early(): boolean {
    return true;
  }

  get #sharedCost(): number | undefined {
    return this.#alone ? undefined : this.#ground.sharedCost(this.#statement.text);
  }

  begin(): void {
    const { pool } = this.#ground;
    if (!pool.isCrowded || !this.along()) pool.lease(this);
  }

  /** Goes behind others. */
  along(): boolean {
    const costMs = this.#sharedCost;
    if (costMs === undefined) return false;
    const { lines, pool } = this.#ground;
    const line = lines.best();
    if (line === undefined) return false;
    const { lease, session } = line;
    pool.state.pipelined++;
    if (session.uses++ > 0) pool.state.noteReuse(lease.client);
    lines.enter(line, costMs);
    this.#costMs = costMs;
    this.#line = line;
    this.#session = session;
    session.share(this.#statement, this.#call, this);
    return true;
  }

  granted(error: Error | undefined, lease: Lease | undefined): void {
    if (lease === undefined) {
      this.#answer.reject(error);
      return;
    }
    this.#lease = lease;
    // one that is to be asked first may be exchanged for another
    if (lease.unasked) {
      this.#ground.askFirst(lease, this.#statement, this.#call).then(
        (result) => this.resolve([result]),
        (failure) => this.reject(failure),
      );
      return;
    }
    const session = this.#ground.sessionOf(lease.client);
    this.#session = session;
    const costMs = this.#sharedCost;
    // what is not open yet nobody shares
    if (costMs !== undefined && this.#ground.pool.state.lives.has(lease.client)) {
      this.#costMs = costMs;
      this.#line = this.#ground.lines.open(lease, session, costMs);
    }
    session.begin([this.#statement], this.#call, this);
  }

  resolve([result]: Result[]): void {
    try {
      this.#leave();
    } finally {
      this.#answer.resolve(result as Result);
    }
  }

  reject(error: unknown): void {
    // pg is to hear of a lost connection before its pool has it back
    queueMicrotask(() => this.#fail(error));
  }

  #fail(error: unknown): void {
    const { resolve, reject } = this.#answer;
    try {
      this.#leave();
    } finally {
      // refused for nothing of its own, so that nothing of it stays: it is sent again, elsewhere
      if (this.#line !== undefined && this.#session?.isOthersDoing(error)) {
        queryPool(this.#ground, this.#statement, this.#call, true).then(resolve, reject);
      } else reject(error);
    }
  }

  /** Gives back what it holds, before anybody hears of it. */
  #leave(): void {
    if (this.#context === undefined) this.#giveBack();
    else this.#context.runInAsyncScope(this.#giveBack, this);
  }

  #giveBack(): void {
    if (this.#line !== undefined) this.#ground.lines.leave(this.#line, this.#costMs);
    else if (this.#lease !== undefined) this.#ground.giveBack(this.#lease);
  }
}
