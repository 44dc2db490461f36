import { decodeFailure } from "../errors/decode-failure.ts";
import { typeLookupFailed } from "../errors/row-failure.ts";
import type { Cancellation, Field, Result, Statement } from "../transports/transport.ts";
import { type Ask, keyOf, type ReadBy, type UserTypes } from "./user-types.ts";

/** What rows are finished with, of one database. */
export interface RowGround {
  readonly types: UserTypes;
  /** Gives 0 to 1. */
  readonly random: () => number;
}

/** How the rows of one call are finished. */
export interface Finishing extends RowGround {
  readonly call: ReadBy & { readonly cancellation: Cancellation };
  /** Looks types up, over whatever the call itself went. */
  readonly ask: Ask;
  /** What became of the statement, should the call end before its rows are finished. */
  readonly fate: () => "refused" | "unknown";
  /** Whether it may wait for what another call has asked: never while it holds a connection, which the other may wait for. */
  readonly waits: boolean;
}

/** Whether the rows of a result are what their caller gets. */
export function isFinished(result: Result, { check }: Statement, { types, call }: Pick<Finishing, "types" | "call">): boolean {
  return check === undefined && types.unread(result, call) === undefined;
}

/**
 * Makes rows what their caller gets, where the driver cannot: reads columns whose types nobody knew, and checks what has a schema.
 *
 * @throws DecodeError DECODE_FAILED, ROW_MISMATCH, SCHEMA_FAILED, TYPE_LOOKUP_FAILED
 */
export async function finishRows(results: readonly Result[], statements: readonly Statement[], finishing: Finishing): Promise<void> {
  const { types, call, random } = finishing;
  const unread = results.flatMap((result) => {
    const columns = types.unread(result, call);
    return columns === undefined ? [] : [{ result, columns }];
  });
  if (unread.length > 0) await lookUp(unread, finishing);
  for (const one of unread) readAgain(one, finishing);
  for (const [index, { rows, fields }] of results.entries()) statements[index]?.check?.(rows, { fields, random });
}

/** Columns of a result whose types were not known when it was read. */
interface Unread {
  readonly result: Result;
  readonly columns: readonly number[];
}

/** Makes the types known. @throws DecodeError TYPE_LOOKUP_FAILED */
async function lookUp(unread: readonly Unread[], { types, call, ask, fate, waits }: Finishing): Promise<void> {
  const ids = [...new Set(unread.flatMap(({ result, columns }) => columns.map((index) => fieldAt(result, index).dataTypeID)))];
  const { cancellation } = call;
  let cause: unknown;
  try {
    while (waits && types.asking !== undefined && types.unknown(ids).length > 0) await settled(types.asking, cancellation);
    const missing = types.unknown(ids);
    if (missing.length === 0) return;
    const asking = types.learn(missing, ask);
    if (waits) types.asking = asking;
    try {
      await asking;
    } finally {
      if (types.asking === asking) types.asking = undefined;
    }
  } catch (error) {
    if (cancellation.reason !== undefined) throw cancellation.reason(fate());
    cause = error;
  }
  const [id] = types.unknown(ids);
  if (id !== undefined) throw lookupFailure(unread, id, cause);
}

/** Resolves when a promise has settled, and rejects when the call ends before. */
function settled(promise: Promise<unknown>, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      stopListening();
      resolve();
    };
    const stopListening = cancellation.onCancel(() => reject(cancellation.reason?.("unknown")));
    promise.then(end, end);
  });
}

/** The error of the first column whose type has this id. */
function lookupFailure(unread: readonly Unread[], id: number, cause: unknown): Error {
  const { result, columns } = unread.find(({ result, columns }) =>
    columns.some((index) => fieldAt(result, index).dataTypeID === id),
  ) as Unread;
  const column = columns.find((index) => fieldAt(result, index).dataTypeID === id) as number;
  return typeLookupFailed(result.fields, column, cause);
}

/** Reads what came as text, in its place. */
function readAgain({ result: { fields, rows }, columns }: Unread, { types, call: { rowMode } }: Finishing): void {
  for (const index of columns) {
    const parse = types.parsers.getTypeParser(fieldAt({ fields }, index).dataTypeID, "text");
    const key = keyOf(fields, index, rowMode) as never;
    try {
      for (const row of rows as Record<string, unknown>[]) if (row[key] !== null) row[key] = parse(row[key] as string) as never;
    } catch (thrown) {
      throw decodeFailure(thrown, fields, index);
    }
  }
}

function fieldAt({ fields }: Pick<Result, "fields">, index: number): Field {
  return fields[index] as Field;
}
