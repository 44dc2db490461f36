import type pg from "pg";
import { destroySocket, leftBusy } from "./client-state.ts";
import { afterTwoTicks } from "./freshness.ts";

/** How long cleaning a connection may take before it is destroyed instead, milliseconds. */
const CLEANING_LIMIT_MS = 1_000;

/**
 * What makes a session as new, save the statements that a driver keeps by name: those of PREPARE are asked for, and given up behind it. Source:
 * PostgreSQL documentation, DISCARD, which lists the parts of DISCARD ALL; that would give up all statements.
 */
const RESET = [
  "RESET SESSION AUTHORIZATION",
  "RESET ROLE",
  "RESET ALL",
  "CLOSE ALL",
  "UNLISTEN *",
  "SELECT pg_catalog.pg_advisory_unlock_all()",
  "DISCARD TEMP",
  "DISCARD SEQUENCES",
  "SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql",
];

/** What is to be undone before somebody else has a connection, beside a transaction that was left open. */
export interface Cleaning {
  /** Whether its session may hold settings, locks and the like. */
  readonly resets: boolean;
  /** What made the new connection ready, and is undone by a reset: run again behind it. */
  readonly onConnect?: ((client: pg.PoolClient) => unknown) | undefined;
}

/** Undoes what was left behind, in one write; resolves with whether the client has to be destroyed. */
export function clean(client: pg.PoolClient, cleaning: Cleaning): Promise<boolean> {
  return new Promise((resolve) => {
    const limit = setTimeout(() => {
      destroySocket(client);
      resolve(true);
    }, CLEANING_LIMIT_MS);
    undo(client, cleaning)
      .then(
        () => resolve(client.getTransactionStatus() !== "I"),
        () => resolve(true),
      )
      .finally(() => clearTimeout(limit));
  });
}

async function undo(client: pg.PoolClient, { resets, onConnect }: Cleaning): Promise<void> {
  const prepared = await run(client, [...(leftBusy(client) ? ["ROLLBACK"] : []), ...(resets ? RESET : [])]);
  if (prepared.length > 0) await run(client, prepared.map(deallocate));
  if (resets) await onConnect?.(client);
}

const deallocate = (name: string): string => `DEALLOCATE "${name.replaceAll('"', '""')}"`;

/** Runs steps as one text, each of which has to be answered as what it is; gives the names that the last one found. */
async function run(client: pg.ClientBase, steps: readonly string[]): Promise<readonly string[]> {
  const answers = [await client.query<{ name: string }>(steps.join("; "))].flat();
  if (answers.length !== steps.length || answers.some(({ command }, at) => !steps[at]?.startsWith(command))) {
    throw new Error("The connection is out of step.");
  }
  return answers.at(-1)?.rows.map(({ name }) => name) ?? [];
}

interface Running {
  readonly since: number;
  readonly ended: Promise<void>;
}

/** The connections of one pool that are being cleaned: nobody has them, and their slots are taken. */
export class Cleanings {
  readonly #now: () => number;
  readonly #running = new Map<pg.PoolClient, Running>();

  /** `now` is the wall clock, milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Begins at once; `done` is told whether the client has to be destroyed. */
  begin(client: pg.PoolClient, cleaning: Cleaning, done: (destroy: boolean) => void): void {
    const ended = clean(client, cleaning).then((destroy) => {
      this.#running.delete(client);
      done(destroy);
    });
    this.#running.set(client, { since: this.#now(), ended });
  }

  /** Ends what takes too long by the wall clock, for timers stand still in a frozen environment. What has been answered meanwhile is seen first. */
  endLate(): void {
    for (const [client, { since }] of this.#running) {
      if (this.#now() - since < CLEANING_LIMIT_MS) continue;
      afterTwoTicks(() => this.#running.has(client) && destroySocket(client));
    }
  }

  /** Resolves when what is being cleaned is clean, or destroyed. */
  async settled(): Promise<void> {
    for (const { ended } of this.#running.values()) await ended;
  }
}
