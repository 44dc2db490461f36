import { decodeFailure } from "../errors/decode-failure.ts";
import { typeLookupFailed } from "../errors/row-failure.ts";
import type { Cancellation, Result, Statement } from "../transports/transport.ts";
import type { Ask, ReadBy, UnreadColumn, UserTypes } from "./user-types.ts";

/** What rows are finished with, of one database. */
export interface RowGround {
  readonly types: UserTypes;
  /** Gives 0 to 1. */
  readonly random: () => number;
}

/** How the rows of one call are finished. */
export interface Finishing extends RowGround {
  readonly call: ReadBy & { readonly cancellation: Cancellation };
  /** How many rows of the same statement were finished before; default 0. */
  readonly from?: number | undefined;
  /** Looks types up, over whatever the call itself went. */
  readonly ask: Ask;
  /** What became of the statement, should the call end before its rows are finished. */
  readonly fate: () => "refused" | "unknown";
  /** Whether it may wait for what another call has asked: never while it holds a connection, which the other may wait for. */
  readonly waits: boolean;
}

/** Whether the rows of statements are what their caller gets. */
export function areFinished(
  results: readonly Result[],
  statements: readonly Statement[],
  { types, read }: { readonly types: UserTypes; readonly read: ReadBy },
): boolean {
  return results.every((result, index) => statements[index]?.check === undefined && types.unread(result, read).length === 0);
}

/**
 * Makes rows what their caller gets, where the driver cannot: reads columns whose types nobody knew, and checks what has a schema.
 *
 * @throws DecodeError DECODE_FAILED, ROW_MISMATCH, SCHEMA_FAILED, TYPE_LOOKUP_FAILED
 */
export async function finishRows(results: readonly Result[], statements: readonly Statement[], finishing: Finishing): Promise<void> {
  const { types, call, random, from } = finishing;
  const unread = results.flatMap((result) => types.unread(result, call));
  if (unread.length > 0) await lookUp(unread, finishing);
  for (const { fields, rows, index, key, id } of unread) {
    const parse = types.parsers.getTypeParser(id, "text");
    try {
      for (const row of rows) if (row[key] !== null) row[key] = parse(row[key] as string) as never;
    } catch (thrown) {
      throw decodeFailure(thrown, fields, index);
    }
  }
  for (const [index, { rows, fields }] of results.entries()) statements[index]?.check?.(rows, { fields, random, from });
}

/** Makes the types of columns known. @throws DecodeError TYPE_LOOKUP_FAILED */
async function lookUp(unread: readonly UnreadColumn[], { types, call, ask, fate, waits }: Finishing): Promise<void> {
  const { cancellation } = call;
  const missing = () => types.unknown(unread.map(({ id }) => id));
  let cause: unknown;
  try {
    while (waits && types.asking !== undefined && missing().length > 0) await settled(types.asking, cancellation);
    const ids = missing();
    if (ids.length > 0) {
      const asking = types.learn(ids, ask);
      if (waits) types.asking = asking;
      await asking.finally(() => {
        if (waits) types.asking = undefined;
      });
    }
  } catch (error) {
    if (cancellation.reason !== undefined) throw cancellation.reason(fate());
    cause = error;
  }
  const [id] = missing();
  if (id === undefined) return;
  const { fields, index } = unread.find((column) => column.id === id) as UnreadColumn;
  throw typeLookupFailed(fields, index, cause);
}

/** Resolves when a promise has settled, and rejects when the call ends before. */
function settled(promise: Promise<unknown>, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopListening = cancellation.onCancel(() => reject(cancellation.reason?.("unknown")));
    const end = () => {
      stopListening();
      resolve();
    };
    promise.then(end, end);
  });
}
