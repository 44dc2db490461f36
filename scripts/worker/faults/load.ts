import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { serveWorker, type WorkerBindings } from "../../../test/support/worker/runtime.ts";
import type { World } from "../../demo/world.ts";

/** How a worker reaches the database. */
export type Way = "http" | "hyperdrive" | "tcp";

/** Requests to one worker, over one way. */
export interface Load {
  readonly way: Way;
  readonly rounds: number;
  /** Requests on their way at a time. */
  readonly atOnce: number;
  /** After which a request counts as hanging, milliseconds. */
  readonly hangsAfterMs: number;
  /** Scopes of a request: each may connect once. Default: 1. */
  readonly scopes?: number;
}

/** What became of them. Times are milliseconds, of whole requests that were answered. */
export interface Tally {
  /** Requests with any other answer than the row they wrote; those that hang are among them. */
  readonly failures: number;
  /** Requests without an answer in time, and those the runtime gave up because nothing could ever answer them. */
  readonly hangs: number;
  /** Rows that are in the table twice or, though the request succeeded, not at all. */
  readonly miscounts: number;
  /** Sessions the server counted beyond one for each request and scope. */
  readonly surplusConnects: number;
  /** Backends that are there a second after the last answer, as the next number counts them. */
  readonly backendsAfterASecond: number;
  /** Backends that are still there ten seconds later; over HTTP those that are not idle, for the endpoint keeps a pool. */
  readonly backendsLeft: number;
  readonly timesMs: readonly number[];
}

const SETTLE_MS = 1_000;
/** A server on a busy machine may take longer to end what is over; what is left behind stays. */
const ENDS_WITHIN_MS = 10_000;

/** Serves the worker in `file` over a database of its own, sends it requests, and counts. */
export async function tally(world: World, file: string, { way, rounds, atOnce, hangsAfterMs, scopes = 1 }: Load): Promise<Tally> {
  const database = `rounds_${randomUUID().replaceAll("-", "")}`;
  const databaseUrl = await world.seed(database);
  await ask(databaseUrl, "create table rounds (id text not null)");
  const before = await world.countSessions(database);
  await using worker = await serveWorker(file, bindingsOf(way, databaseUrl, world.endpointUrl));
  const succeeded = new Set<string>();
  const timesMs: number[] = [];
  let hangs = 0;
  let begun = 0;
  const callOnAndOn = async () => {
    while (begun++ < rounds) {
      const id = randomUUID();
      const startMs = performance.now();
      try {
        const response = await fetch(new URL(id, worker.url), { signal: AbortSignal.timeout(hangsAfterMs) });
        const answer = await response.text();
        // as a list, or as a line of a stream
        if (answer === JSON.stringify([{ id }]) || answer === `${JSON.stringify({ id })}\n`) succeeded.add(id);
        if (response.status === 500 && answer.includes("code had hung")) hangs++;
        timesMs.push(performance.now() - startMs);
      } catch (error) {
        if (error instanceof Error && error.name === "TimeoutError") hangs++;
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, callOnAndOn));
  await delay(SETTLE_MS);
  const sessions = (await world.countSessions(database)) - before;
  const countBackends = async () => {
    const [row] = await ask(
      databaseUrl,
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
         and pid <> pg_backend_pid() ${way === "http" ? "and state <> 'idle'" : ""}`,
    );
    return row?.n ?? Number.NaN;
  };
  const backendsAfterASecond = await countBackends();
  let backendsLeft = backendsAfterASecond;
  for (const giveUpAt = performance.now() + ENDS_WITHIN_MS; backendsLeft > 0 && performance.now() < giveUpAt; await delay(50)) {
    backendsLeft = await countBackends();
  }
  const written = new Map((await ask(databaseUrl, "select id, count(*)::int as n from rounds group by id")).map(({ id, n }) => [id, n]));
  const doubled = [...written.values()].filter((times) => times > 1).length;
  const lost = [...succeeded].filter((id) => !written.has(id)).length;
  return {
    failures: rounds - succeeded.size,
    hangs,
    miscounts: doubled + lost,
    surplusConnects: Math.max(0, sessions - rounds * scopes),
    backendsAfterASecond,
    backendsLeft,
    timesMs,
  };
}

function bindingsOf(way: Way, databaseUrl: string, endpointUrl: string): WorkerBindings {
  if (way === "hyperdrive") return { hyperdrive: { HYPERDRIVE: databaseUrl } };
  return { vars: { DATABASE_URL: databaseUrl, ...(way === "http" && { WARMLINE_ENDPOINT: endpointUrl }) } };
}

async function ask(databaseUrl: string, text: string): Promise<{ readonly id: string; readonly n: number }[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return (await client.query(text).finally(() => client.end())).rows;
}
