import { showCaller } from "../errors/caller.ts";
import { isWarmlineError } from "../errors/errors.ts";
import type { Result, Statement } from "../transports/transport.ts";
import type { ReadingOptions } from "./options.ts";
import { type Row, type RowOf, type Source, type Sql, sql } from "./sql.ts";
import { toStatement } from "./statement.ts";

/** What a query inside a transaction or session can be told; deadline and signal are the outer call's. */
export interface InnerOptions extends ReadingOptions {}

/** What can be sent through a database, a transaction or a session. */
export interface Queries<Options = InnerOptions> {
  /** Sends a tagged template and gives its rows. */
  sql<R = Row>(strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<R[]>;
  /** Sends one statement. Rejects with a WarmlineError that has a `fate`. */
  query<R = Row>(statement: Sql<R>, options?: Options): Promise<Result<R>>;
  /** The same for what else is a statement: `{ text, values }`. */
  query<R = Row>(statement: Source<R>, options?: Options): Promise<Result<R>>;
  /** The same for a text with `$1`, `$2` …, and its values. */
  query<R = Row>(text: string, values?: readonly unknown[], options?: Options): Promise<Result<R>>;
}

/** Results of a batch, each with the rows of its statement. */
export type BatchResults<S extends readonly Source<unknown>[]> = { -readonly [Index in keyof S]: Result<RowOf<S[Index]>> };

/** What takes several statements at once. */
export interface Batches<Options = InnerOptions> {
  /** Runs statements in one round trip, and gives a result for each. */
  batch<const S extends readonly Source<unknown>[]>(statements: S, options?: Options): Promise<BatchResults<S>>;
}

/** `query` and `sql` over a function that sends one statement. */
export function makeQueries<Options>(send: (statement: Statement, options: Options | undefined) => Promise<Result>): Queries<Options> {
  const queries: Queries<Options> = {
    async sql<R>(strings: TemplateStringsArray, ...values: readonly unknown[]) {
      let answer: Promise<Result>;
      try {
        answer = send(toStatement(sql(strings, ...values)), undefined);
      } catch (error) {
        throw pointed(error, queries.sql);
      }
      return (await answer).rows as R[];
    },
    // No async function: each promise between caller and wire costs CPU in every query.
    query<R>(source: unknown, second?: unknown, third?: unknown) {
      try {
        const text = typeof source === "string";
        const statement = toStatement(source, text ? second : undefined);
        return send(statement, (text ? third : second) as Options | undefined) as Promise<Result<R>>;
      } catch (error) {
        return Promise.reject(pointed(error, queries.query));
      }
    },
  };
  return queries;
}

/** An error that shows who calls, however deep in a value it was found. */
function pointed(error: unknown, call: (...given: never) => unknown): unknown {
  return isWarmlineError(error) ? showCaller(error, call) : error;
}
