import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { inject } from "vitest";
import {
  createDatabase,
  type Database,
  type DatabaseEvent,
  type DatabaseOptions,
  isWarmlineError,
  type WarmlineError,
} from "../../src/entry/node.ts";

/** A server, or a wire or pooler laid to one. */
interface Place {
  readonly port: number;
}

/** The URL of the test database, at another port where a `place` is given. */
export function urlAt(place?: Place): string {
  const url = new URL(inject("postgres").url);
  if (place !== undefined) url.port = String(place.port);
  return url.href;
}

/** A database on a pool that it shares with no other test; no call waits for longer than twenty seconds. */
export function openPool(options: DatabaseOptions = {}): Database {
  return createDatabase({ url: urlAt(), transport: "pool", name: randomUUID(), deadlineMs: 20_000, ...options });
}

/** The events of one type, as they come. */
export function eventsOf<T extends DatabaseEvent["type"]>(db: Database, type: T): Extract<DatabaseEvent, { type: T }>[] {
  const events: Extract<DatabaseEvent, { type: T }>[] = [];
  db.subscribe((event) => {
    if (event.type === type) events.push(event as Extract<DatabaseEvent, { type: T }>);
  });
  return events;
}

/** What a promise rejects with, which has to be this package's own error. */
export async function failureOf(promise: Promise<unknown>): Promise<WarmlineError> {
  try {
    await promise;
  } catch (error) {
    if (isWarmlineError(error)) return error;
    throw error;
  }
  throw new Error("It did not fail.");
}

/** What a pool in pg's place rejects with: an error of pg's, or of Node's, with a fate. */
export async function pgFailureOf(promise: Promise<unknown>): Promise<PgFailure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error && !isWarmlineError(error) && "fate" in error && "retryable" in error) return error as PgFailure;
    throw error;
  }
  throw new Error("It did not fail.");
}

/** pg's error, and what became of the statement. */
export type PgFailure = NodeJS.ErrnoException & Pick<WarmlineError, "fate" | "retryable">;

/** A client of pg's own, for a second opinion. */
export async function openDirect(url: string = urlAt()): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

/** Those of the machine, where a test stops its own. */
const { setTimeout: machinesTimeout } = globalThis;
const machinesStopwatch = performance.now.bind(performance);

/** Asks again until `holds`, for what another process does in its own time. Rejects after a minute. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = machinesStopwatch() + 60_000;
  while (!(await holds())) {
    if (machinesStopwatch() > giveUpAt) throw new Error("What was waited for did not come.");
    await new Promise((resolve) => machinesTimeout(resolve, 5));
  }
}
