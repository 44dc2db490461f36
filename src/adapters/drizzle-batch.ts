import type { BatchCallOptions, Queries, Result, TypeParsers } from "../entry/node.ts";
import { UsageError } from "../errors/errors.ts";
import { runSeveral, severalOf } from "./several-statements.ts";

/** A statement of Drizzle's, and how it wants its rows: as arrays, or as whoever wrote the statement is to see them. */
export interface Asked {
  readonly text: string;
  readonly values: readonly unknown[];
  readonly asArrays: boolean;
}

/** One that is held back until its batch is whole. */
interface Held extends Asked {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Only set while a batch asks its queries what they would send, which each says before it waits for anything. */
let collecting: { readonly of: Queries; readonly held: Held[] } | undefined;

/** Sends a statement; in a batch it waits for the others. What a text of several gives is nobody's rows. */
export function ask(queries: Batching, asked: Asked, types: TypeParsers): Promise<Pick<Result, "rows">> {
  const { text, values, asArrays } = asked;
  if (collecting === undefined) {
    const several = asArrays ? undefined : severalOf(text, values);
    if (several !== undefined) return runSeveral(queries, several).then(() => ({ rows: [], ...NO_RESULT }));
    return queries.query({ text, values }, { rowMode: asArrays ? "array" : "object", types });
  }
  const { of, held } = collecting;
  if (of !== queries) return Promise.reject(unfit("one of another database or transaction is among them"));
  return new Promise((resolve, reject) => {
    held.push({ ...asked, resolve, reject });
  });
}

const NO_RESULT: Pick<Result, "rowCount" | "command" | "fields"> = { rowCount: null, command: null, fields: [] };

/** What can be in a batch: a query that was built, and not begun. */
interface Item {
  execute?(): Promise<unknown>;
  then(resolve: (value: unknown) => void, reject: (error: unknown) => void): unknown;
}

/** What sends a batch: a database. */
export interface Batching extends Queries {
  batch(statements: readonly { readonly text: string }[], options?: BatchCallOptions): Promise<readonly Result[]>;
}

/** Asks the queries what they send, sends it as one batch, and gives what each of them makes of its result. */
export async function runBatch(db: Batching, items: readonly Item[], options: BatchCallOptions): Promise<readonly unknown[]> {
  if (items.length === 0) return [];
  const held: Held[] = [];
  collecting = { of: db, held };
  let begun: readonly Promise<unknown>[];
  try {
    begun = items.map(begin);
  } finally {
    collecting = undefined;
  }
  const all = Promise.all(begun);
  try {
    if (held.length !== items.length) throw unfit("one of them would not tell what it sends");
    // a batch reads all of its rows in one way
    const results = await db.batch(
      held.map(({ text, values }) => ({ text, values })),
      { ...options, rowMode: "array" },
    );
    for (const [index, { asArrays, resolve }] of held.entries()) {
      const result = results[index] as Result;
      resolve(asArrays ? result : { ...result, rows: asObjects(result) });
    }
  } catch (error) {
    for (const { reject } of held) reject(error);
    // each wraps it as if it alone had failed
    all.catch(() => {});
    throw error;
  }
  return all;
}

function begin(item: Item): Promise<unknown> {
  if (typeof item?.execute === "function") return item.execute();
  if (typeof item?.then !== "function") return Promise.reject(unfit("one of them is no query"));
  return new Promise((resolve, reject) => {
    item.then(resolve, reject);
  });
}

function asObjects({ rows, fields }: Result): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(fields.map(({ name }, column) => [name, (row as unknown as readonly unknown[])[column]])));
}

const unfit = (why: string): UsageError =>
  new UsageError(`A batch is an array of queries that were built on its own database, and not awaited: ${why}.`, {
    code: "INVALID_STATEMENT",
  });
