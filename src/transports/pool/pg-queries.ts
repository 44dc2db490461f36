import type pg from "pg";
import { transactionControl } from "../../syntax/transaction-control.ts";
import type { WireCall } from "../sending.ts";
import type { Cancellation, Result } from "../transport.ts";
import { isQuiet } from "./client-state.ts";
import type { PgAnswer } from "./pg-call.ts";
import { withFateOf } from "./pg-failure.ts";
import { PgForm } from "./pg-form.ts";
import { type PgQuery, readQuery } from "./pg-query.ts";
import { type PoolTransport, poolTransport, type SendingPool } from "./pool.ts";
import type { PoolTraits } from "./pool-traits.ts";
import { processClock } from "./process-clock.ts";
import { QueryTexts } from "./query-texts.ts";
import type { WarmClient } from "./warm-client.ts";

/** What is known where nothing is said: a pooler may stand between, which mixes sessions. */
const CAREFUL: PoolTraits = {
  pooled: true,
  cancel: false,
  named: false,
  pipelined: false,
  known: true,
  sessionState: false,
  asksAhead: false,
  statementTimeoutMs: null,
};

/** pg ends no query from without. */
export const never: Cancellation = {
  deadlineAt: Number.POSITIVE_INFINITY,
  reason: undefined,
  onCancel: () => () => {},
  signal: () => new AbortController().signal,
};

/** What queries in pg's manner are sent over. */
export type PgTransport = Pick<PoolTransport, "query" | "simple" | "sessionOf" | "noteUse">;

/** What of the other end they depend on. */
export type PgTraits = Pick<PoolTraits, "named" | "pipelined">;

/** The queries of a pool of connections that outlive a call. */
export function queriesOver(pool: SendingPool, traits: PoolTraits = CAREFUL): PgQueries {
  return new PgQueries(poolTransport({ ...traits, pool, clock: processClock }), traits);
}

/** The queries of a pool in pg's manner, sent as those of a database are: in one write, by names, and along with others. */
export class PgQueries {
  readonly #traits: PgTraits;
  readonly #transport: PgTransport;
  readonly #texts = new QueryTexts();

  constructor(transport: PgTransport, traits: PgTraits) {
    this.#traits = traits;
    this.#transport = transport;
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

  /** Counts a use of a connection that a client of pg's had. */
  noteUse(client: pg.PoolClient): void {
    this.#transport.noteUse(client);
  }

  /** The same on a client that somebody holds, where nothing is on its way. */
  answerOn(client: WarmClient, config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    if (!isOurs(client)) return undefined;
    try {
      const query = readQuery(config, values);
      return query && this.#sendOn(client, query);
    } catch (thrown) {
      return Promise.reject(withFateOf(thrown, "not-sent"));
    }
  }

  #send(query: PgQuery): Promise<PgAnswer> | undefined {
    const { text, values, name } = query;
    if (name !== undefined) {
      if (!this.#traits.named) return undefined;
      if (this.#texts.isTaken(name, text)) throw taken(name);
    }
    if (values === null && !this.#isStatement(text)) {
      const { call, fail } = callOf(query);
      return this.#transport.simple(text, call).then(allOrOne, fail);
    }
    // whoever begins a transaction so leaves it open
    if (values !== null && transactionControl(text) !== undefined) return undefined;
    const { call, fail } = callOf(query);
    return this.#transport.query({ text, values: values ?? [] }, call).then(undefined, fail);
  }

  #sendOn(client: WarmClient, query: PgQuery): Promise<PgAnswer> | undefined {
    const { text, values, name } = query;
    // pg's names are those of its client
    if (name !== undefined) return undefined;
    const session = this.#transport.sessionOf(client as unknown as pg.PoolClient);
    const isIdle = session.status === "idle";
    if (session.broken || (values === null ? !isIdle || !this.#isStatement(text) : transactionControl(text) !== undefined))
      return undefined;
    const { call, fail } = callOf(query);
    const sent = session.exchange([{ text, values: values ?? [] }], { ...call, ends: isIdle ? "autocommit" : "free", ordered: true });
    return sent.then(allOrOne, fail);
  }

  /** Whether a text without values is better sent as a statement. */
  #isStatement(text: string): boolean {
    const { named, pipelined } = this.#traits;
    return (named || pipelined) && this.#texts.isStatement(text);
  }
}

/** How a query is sent, and what it fails with. */
function callOf({ rowMode, types }: PgQuery) {
  const form = new PgForm(rowMode, types);
  const call: Omit<WireCall, "ends"> = {
    cancellation: never,
    rowMode,
    parsers: form,
    readOnly: false,
    idempotent: false,
    attempt: 1,
    form,
  };
  const fail = (error: unknown): never => {
    throw form.errorOf(error);
  };
  return { call, fail };
}

/** What a client was told that only pg does. */
interface PgOnly {
  readonly binary?: unknown;
  readonly connectionParameters: { readonly query_timeout?: unknown };
}

/** Whether it can be sent by us: the order is the caller's, and pg alone knows what it was told besides. */
function isOurs(client: WarmClient): boolean {
  const { binary, connectionParameters } = client as unknown as PgOnly;
  return isQuiet(client) && !binary && !connectionParameters.query_timeout;
}

function allOrOne(results: Result[]): PgAnswer {
  return results.length === 1 ? (results[0] as Result) : results;
}

/** In pg's own words. */
function taken(name: string): Error {
  return new Error(`Prepared statements must be unique - '${name}' was used for a different statement`);
}
