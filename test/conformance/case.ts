import { expect } from "vitest";
import type { Database } from "../../src/database/database.ts";
import type { DatabaseOptions } from "../../src/decide/settings.ts";
import { type Fate, isWarmlineError, type WarmlineError } from "../../src/errors/errors.ts";
import type { TransportName } from "../../src/transports/transport.ts";

/** What a case works with. */
export interface Bench {
  /** The database of the whole suite, with the objects of fixtures.ts in its search path. */
  readonly db: Database;
  /** Another handle on the same database, closed when the suite ends. */
  readonly open: (options?: DatabaseOptions) => Database;
  readonly transport: TransportName;
  /** Whether the runtime tells a query inside a transaction's callback from one outside. */
  readonly knowsNesting: boolean;
  /** Whether a CancelRequest, or an aborted POST, ends a statement at the server. */
  readonly cancels: boolean;
  /** A text no other suite of the run has. */
  readonly mark: string;
}

/** One promise of the package, the same on every runtime. */
export interface Case {
  /** A sentence in the present tense. */
  readonly title: string;
  readonly run: (bench: Bench) => Promise<void>;
}

/** Cases of one subject. */
export interface Subject {
  readonly title: string;
  readonly cases: readonly Case[];
}

/** What an error must be; what is left out is not looked at. */
export interface ExpectedError {
  readonly name?: string;
  readonly code: string;
  readonly fate?: Fate;
  readonly retryable?: boolean;
}

/** The error that `work` ends with, checked to be one of the package's and as expected. Fails when `work` succeeds. */
export async function failureOf(work: () => Promise<unknown>, expected: ExpectedError): Promise<WarmlineError> {
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  if (!isWarmlineError(error)) throw new Error(`Expected ${expected.code}, and it ended with: ${String(error)}`);
  const { name, code, fate, retryable } = error;
  expect({ name, code, fate, retryable }).toMatchObject(expected);
  return error;
}

/** The only value of the only row. */
export async function onlyValue(work: Promise<readonly Record<string, unknown>[]>): Promise<unknown> {
  const rows = await work;
  expect(rows).toHaveLength(1);
  const values = Object.values(rows[0] ?? {});
  expect(values).toHaveLength(1);
  return values[0];
}

/** A value fit for `toEqual` on every runtime: bytes as an array of numbers, whichever class carries them. */
export function comparable(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return { bytes: Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  return Array.isArray(value) ? value.map(comparable) : value;
}

/** Asks again until it gives `wanted`, for what the server does in its own time. Fails after twenty seconds. */
export async function eventually<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  let seen = await ask();
  while (seen !== wanted && Date.now() < giveUpAt) seen = await ask();
  expect(seen).toBe(wanted);
}
