import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { createDatabase } from "warmline";
import { type Feed, makeFeed } from "../../src/dashboard/feed.ts";
import type { DatabaseEvent, Watched } from "../../src/dashboard/watched.ts";
import { type PostgresServer, startPostgres } from "../../test/support/postgres/server.ts";
import { type Order, type SideName, sideNames, type Told } from "./told.ts";

/** Two clients that make the same calls on a Postgres of their own, and what can be done to both. */
export interface Stage {
  readonly feeds: Readonly<Record<SideName, Feed>>;
  /** By name; each gives a sentence for who pressed. */
  readonly strikes: Readonly<Record<StrikeName, () => Promise<string>>>;
  stop(): Promise<void>;
}

export type StrikeName = "fire" | "kill" | "freeze" | "away" | "back";

const CALLS = 100;
/** On their way on each side when the backends are killed. */
const KILLED_CALLS = 12;
/** Calls that are at the server at once, where each of both sides uses all of its connections. */
const AT_ONCE = 8;
const FROZEN_SECONDS = 3;
/** A server that was taken away comes back by itself, seconds. */
const AWAY_SECONDS = 30;
/** One that is done, and one that waits for it: of more a stop would have to wait for all. */
const MOST_STRIKES = 2;

/** Starts all of it: a second or two. */
export async function startStage(): Promise<Stage> {
  const postgres = await startPostgres();
  try {
    return await stageOn(postgres);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function stageOn(postgres: PostgresServer): Promise<Stage> {
  const schema = await readFile(new URL("../../infra/schema.sql", import.meta.url), "utf8");
  const seeding = createDatabase({ url: postgres.url(), transport: "pool", name: "seed" });
  await seeding.script(schema);
  await seeding.close();
  const child = fork(fileURLToPath(new URL("clients-process.ts", import.meta.url)), [postgres.url()]);
  const ended = once(child, "exit");
  const [warmline, bare] = await watch(child);
  const feeds = { warmline: makeFeed(warmline), bare: makeFeed(bare) };
  const note = (label: string, forMs = 0) => {
    for (const name of sideNames) feeds[name].note(label, forMs);
  };
  let back: NodeJS.Timeout | undefined;
  let changing: Promise<unknown> = Promise.resolve();
  let isAway = false;

  const ask = async (work: (admin: pg.Client) => Promise<number>) => {
    const admin = new pg.Client({ connectionString: postgres.url() });
    admin.on("error", () => {});
    await admin.connect();
    return work(admin).finally(() => admin.end());
  };
  const others = "from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()";
  /** Ends every session of the two clients. */
  const kill = (admin: pg.Client) => admin.query(`select pg_terminate_backend(pid) ${others}`).then(({ rowCount }) => rowCount ?? 0);
  /** Waits until as many calls are at the server as fit, a second at most. */
  const arrived = async (admin: pg.Client) => {
    for (let n = 0; n < 50; n++) {
      const { rows } = await admin.query(`select count(*)::int as busy ${others} and wait_event = 'PgSleep'`);
      if (rows[0]?.busy >= AT_ONCE) return;
      await delay(20);
    }
  };
  const giveBack = async () => {
    clearTimeout(back);
    if (!isAway) return "The server is here.";
    isAway = false;
    await postgres.resume();
    note("server back");
    return "The server is back, with all of its sessions gone.";
  };
  /** One after another: a server cannot be started while it stops. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = changing.then(work);
    changing = turn.catch(() => {});
    return turn;
  };
  let strikes = 0;
  const strike = async (work: () => Promise<string>): Promise<string> => {
    if (strikes >= MOST_STRIKES) return "What was pressed before is still being done. Press again in a moment.";
    strikes++;
    return inTurn(work).finally(() => strikes--);
  };

  return {
    feeds,
    strikes: {
      async fire() {
        child.send({ fire: CALLS } satisfies Order, unheard);
        note(`${CALLS} calls`);
        return `${CALLS} calls at once on each side, up to 4 connections.`;
      },
      kill: () =>
        strike(async () => {
          if (isAway) return "The server is away: there is no backend to kill.";
          child.send({ fire: KILLED_CALLS, lastingMs: 600 } satisfies Order, unheard);
          const killed = await ask(async (admin) => {
            await arrived(admin);
            note("backends killed");
            return kill(admin);
          });
          return `Ended ${killed} sessions with ${KILLED_CALLS} reads on the way on each side, as a failover does. Reads are repeated; bare pg does not.`;
        }),
      freeze: () =>
        strike(async () => {
          if (isAway) return "The server is away: give it back first.";
          note("frozen", FROZEN_SECONDS * 1_000);
          // a process of its own wakes it, whatever becomes of this one
          const waker = spawn("sh", ["-c", `kill -STOP ${child.pid}; sleep ${FROZEN_SECONDS}; kill -CONT ${child.pid}`], {
            stdio: "ignore",
          });
          const dropped = await ask(kill);
          await once(waker, "exit");
          return `Frozen for ${FROZEN_SECONDS} s, as Lambda does between two invocations; ${dropped} connections were dropped meanwhile.`;
        }),
      away: () =>
        strike(async () => {
          if (isAway) return "It is away already.";
          isAway = true;
          note("server away");
          await postgres.halt();
          back = setTimeout(() => void inTurn(giveBack), AWAY_SECONDS * 1_000);
          return `The server is shut down. It comes back by itself after ${AWAY_SECONDS} s.`;
        }),
      back: () => strike(giveBack),
    },
    async stop() {
      clearTimeout(back);
      await changing;
      if (child.connected) child.disconnect();
      await ended;
      await postgres.stop();
    },
  };
}

/** A process that has ended takes no orders; without a listener that would be an error of this one. */
const unheard = () => {};

/** The two sides, once each has told of itself. */
async function watch(child: ChildProcess): Promise<[Watched, Watched]> {
  const listeners = { warmline: new Set<(event: DatabaseEvent) => void>(), bare: new Set<(event: DatabaseEvent) => void>() };
  const latest: Partial<Record<SideName, Told>> = {};
  const ready = Promise.withResolvers<void>();
  child.once("exit", () => ready.reject(new Error("The process of the two clients ended.")));
  child.on("message", (told: Told) => {
    latest[told.side] = { ...latest[told.side], ...told };
    for (const event of told.events) for (const listener of listeners[told.side]) listener(event);
    if (sideNames.every((name) => latest[name] !== undefined)) ready.resolve();
  });
  await ready.promise;
  const side = (name: SideName): Watched => ({
    get plan() {
      return latest[name]?.plan ?? barePlan;
    },
    stats: () => (latest[name] as Told).stats,
    subscribe(listener) {
      listeners[name].add(listener);
      return () => void listeners[name].delete(listener);
    },
  });
  return [side("warmline"), side("bare")];
}

/** What the page says of a pool that plans nothing. */
const barePlan = { transport: "pg.Pool", runtime: "node", max: 4, by: "its defaults", reasons: {} } as unknown as Watched["plan"];
