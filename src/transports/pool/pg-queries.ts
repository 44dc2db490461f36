import { transactionControl } from "../../syntax/transaction-control.ts";
import type { ForeignForm } from "../sending.ts";
import type { CallOptions, Cancellation, Clock, Result } from "../transport.ts";
import type { PgAnswer } from "./leased-pool.ts";
import { PgForm, withFateOf } from "./pg-form.ts";
import { type PgQuery, readQuery } from "./pg-query.ts";
import { type PoolTransport, poolTransport, type SendingPool } from "./pool.ts";
import type { PoolTraits } from "./pool-traits.ts";
import { QueryTexts } from "./query-texts.ts";

/** What is known where nothing is said: a pooler may stand between, which mixes sessions. */
const CAREFUL: PoolTraits = {
  pooled: true,
  cancel: false,
  named: false,
  pipelined: false,
  known: true,
  sessionState: false,
  statementTimeoutMs: null,
};

/** pg ends no query from without. */
const never: Cancellation = {
  deadlineAt: Number.POSITIVE_INFINITY,
  reason: undefined,
  onCancel: () => () => {},
  signal: () => new AbortController().signal,
};

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** The queries of a pool in pg's manner, sent as those of a database are: in one write, by names, and along with others. */
export class PgQueries {
  readonly #traits: PoolTraits;
  readonly #transport: PoolTransport;
  readonly #texts = new QueryTexts();

  constructor(pool: SendingPool, traits: PoolTraits = CAREFUL) {
    this.#traits = traits;
    this.#transport = poolTransport({ ...traits, pool, clock });
  }

  /** Sends what can be sent so; undefined where pg has to do it itself, and nothing was done. */
  answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    try {
      const query = readQuery(config, values);
      return query && this.#send(query);
    } catch (thrown) {
      return Promise.reject(withFateOf(thrown, "not-sent"));
    }
  }

  #send({ text, values, name, rowMode, types }: PgQuery): Promise<PgAnswer> | undefined {
    const { named, pipelined } = this.#traits;
    if (name !== undefined) {
      if (!named) return undefined;
      if (this.#texts.isTaken(name, text)) throw taken(name);
    }
    const form = new PgForm(rowMode, types);
    const call: CallOptions & { readonly form: ForeignForm } = {
      cancellation: never,
      rowMode,
      parsers: form,
      readOnly: false,
      idempotent: false,
      attempt: 1,
      form,
    };
    const fail = (error: unknown) => {
      throw form.errorOf(error);
    };
    if (values === null && !((named || pipelined) && this.#texts.isStatement(text))) {
      return this.#transport.simple(text, call).then(allOrOne, fail);
    }
    // pg sends it, and whatever it leaves open is ended behind it
    if (values !== null && transactionControl(text) !== undefined) return undefined;
    return this.#transport.query({ text, values: values ?? [] }, call).then(undefined, fail);
  }
}

function allOrOne(results: Result[]): PgAnswer {
  return results.length === 1 ? (results[0] as Result) : results;
}

/** In pg's own words. */
function taken(name: string): Error {
  return new Error(`Prepared statements must be unique - '${name}' was used for a different statement`);
}
