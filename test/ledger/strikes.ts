import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { PostgresServer } from "../support/postgres/server.ts";
import { isCommandComplete } from "../support/postgres-messages.ts";
import type { Random } from "../support/random.ts";
import type { Place } from "./places.ts";

/** What befalls the transfers, and how often each in a deck. */
const deck = {
  "backend killed": 3,
  "connections reset": 2,
  "link to the server cut after COMMIT": 3,
  "server restarted": 1,
} as const;

/** The name of a fault. */
export type FaultName = keyof typeof deck;

/** All of them. */
export const faultNames = Object.keys(deck) as readonly FaultName[];

/** What is struck. */
export interface StrikeGround {
  readonly place: Place;
  readonly server: PostgresServer;
  readonly database: string;
  readonly random: Random;
  /** Whether transfers still come, which a fault may have to wait for. */
  readonly running: () => boolean;
}

/** The order of faults of a seed: one of each, so that every fault has its turn early, then deck after deck, each shuffled. */
export function* faultOrder(random: Random): Generator<FaultName, never> {
  yield* random.shuffle(faultNames);
  for (;;) yield* random.shuffle(faultNames.flatMap((name) => Array<FaultName>(deck[name]).fill(name)));
}

/** Does it. Resolves to whether it struck: the server said so, or the wire. */
export async function strike(name: FaultName, ground: StrikeGround): Promise<boolean> {
  switch (name) {
    case "backend killed":
      return killBackend(ground);
    case "connections reset": {
      const { front } = ground.place;
      const open = front.openConnections();
      front.cut();
      return open > 0;
    }
    case "link to the server cut after COMMIT":
      return cutAfterCommit(ground);
    case "server restarted":
      return restart(ground);
  }
}

/** Any backend that serves the transfers, whatever it is doing. */
async function killBackend({ server, database, random, running }: StrikeGround): Promise<boolean> {
  return withClient(server, async (client) => {
    while (running()) {
      const { rows } = await client.query<{ pid: number }>(
        "select pid from pg_stat_activity where datname = $1 and backend_type = 'client backend' order by pid",
        [database],
      );
      if (rows.length === 0) {
        await delay(1);
        continue;
      }
      const killed = await client.query<{ told: boolean }>("select pg_terminate_backend($1) as told", [random.pick(rows).pid]);
      if (killed.rows[0]?.told) return true;
    }
    return false;
  });
}

/** The server has committed, a transaction, a single statement or a procedure, and nobody behind the link is told. */
async function cutAfterCommit({ place, running }: StrikeGround): Promise<boolean> {
  const tags = ["COMMIT", "SELECT 1", "CALL", "DO"].map(isCommandComplete);
  let over = false;
  let struck = false;
  const cut = place.back
    .cutAt((message) => over || tags.some((isComplete) => isComplete(message)))
    .then(() => {
      struck = true;
    });
  while (running() && !struck) await Promise.race([cut, delay(20)]);
  over = true;
  return struck;
}

/** Postgres ends every session and starts again when one of its processes is killed. Resolves when it takes logins after that. */
async function restart({ server, running }: StrikeGround): Promise<boolean> {
  if (!running()) return false;
  const startedAt = () =>
    withClient(server, async (client) => (await client.query<{ at: Date }>("select pg_postmaster_start_time() as at")).rows[0]?.at);
  const reached = await withClient(server, async (client) => {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const ended = new Promise<void>((resolve) => client.once("end", resolve));
    process.kill(rows[0]?.pid ?? Number.NaN, "SIGKILL");
    await ended;
    return true;
  });
  for (const giveUpAt = Date.now() + 60_000; Date.now() < giveUpAt; await delay(20)) {
    if (await startedAt().catch(() => undefined)) return reached;
  }
  throw new Error("The server did not come back.");
}

/** Runs `work` on a connection of its own, which may die under it. */
export async function withClient<T>(server: PostgresServer, work: (client: pg.Client) => Promise<T>, database?: string): Promise<T> {
  const client = new pg.Client({ connectionString: server.url(database) });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
