import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { createDatabase, isWarmlineError } from "../../../src/entry/node.ts";
import { sharedPool } from "../../../src/entry/pool.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { createRandom } from "../../support/random.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { type Call, type CallInput, schema, Undone, written } from "./kinds.ts";
import { type CallProblem, countFates, type Told, untrue } from "./ledger.ts";
import { reads } from "./reads.ts";
import { type StrikeGround, strikes } from "./strikes.ts";
import { works } from "./works.ts";
import { writes } from "./writes.ts";

/** What became of the part named `calls`. */
export interface CallFuzzRow {
  readonly target: "calls";
  readonly over: CallFuzzWay;
  readonly seed: number;
  readonly rounds: number;
  /** Calls written behind others on their connection. */
  readonly pipelined: number;
  /** Of writes, by what their callers were told. */
  readonly fates: Readonly<Record<string, number>>;
  /** Calls that failed, by code and fate. */
  readonly failures: Readonly<Record<string, number>>;
  /** What was done to connections and backends, by its name. */
  readonly strikes: Readonly<Record<string, number>>;
  readonly problems: readonly CallProblem[];
}

/** What stands between: nothing, PgBouncer, or PgBouncer of which the package is not told. */
export type CallFuzzWay = "direct" | "pgbouncer" | "pgbouncer-untold";

/** How long it goes on, and where. */
export interface CallFuzzOptions {
  readonly seed: number;
  readonly count: number;
  /** Default: `direct`. */
  readonly over?: CallFuzzWay;
}

const CALLERS = 50;
/** Connections of the databases that are called. */
const SIZES = [1, 2, 3, 4] as const;
/** So few calls need not have met with everything. */
const FEW = 1_000;
/** Something is struck every so many calls. */
const STRIKE_EVERY = 300;
/** No call has a longer deadline, milliseconds; and none may take longer than that and all that ends it. */
const DEADLINE_MS = 20_000;
const HANG_MS = 40_000;
/** Every other so many calls are quick ones alone, which share. */
const MOOD = 400;
/** How long a caller waits who was refused because of an outage, milliseconds. */
const OPEN_MS = 200;
/** Ids of what one round writes. */
const IDS_PER_ROUND = 10;
const MACADDR = 829;

const kinds: readonly Call[] = [...reads, ...writes, ...works];

/** What no call is told while the server speaks rightly: another's fault, or the package's own. */
const neverTold = /^(OUT_OF_STEP|INTERNAL|26000|0A000|42P05|25P01|25P02|08P01|22021)$/;
/** PgBouncer's word for a link to the server that is lost. */
const LINK_LOST = "08P01";
/** What only those are told who were in a hurry. */
const toldInHurry = /^(57014|ABORTED|DEADLINE_EXCEEDED|ATTEMPT_TIMEOUT)$/;

/** Makes `count` calls from fifty callers over few connections while these are struck, and holds what each was told against the table. */
export async function runCallFuzz(server: PostgresServer, { seed, count, over = "direct" }: CallFuzzOptions): Promise<CallFuzzRow> {
  const name = `calls_${over.replace("-", "_")}_${seed}`;
  const maintenance = new Client({ connectionString: server.url() });
  await maintenance.connect();
  await maintenance.query(`create database ${name}`);
  // who waits for another in a circle is to be told soon
  await maintenance.query(`alter database ${name} set deadlock_timeout = '20ms'`);
  const outside = new Client({ connectionString: server.url(name) });
  await outside.connect();
  await outside.query(schema);
  const startPooler = () => startPgBouncer(server, { default_pool_size: "4", server_login_retry: "0" });
  let pooler = over === "direct" ? undefined : await startPooler();
  const target = { host: "127.0.0.1", port: (pooler ?? server).port };
  const wire = await startWire(target);
  const departures = watchDepartures(wire);
  const books: Books = { over, told: new Map(), failures: {}, problems: [] };
  const row = { rounds: 0, pipelined: 0 };
  const struck: Record<string, number> = {};
  using _ = uncaught((error) => books.problems.push({ problem: "nobody caught it", detail: String((error as Error)?.stack ?? error) }));
  let reviving = false;
  /** PgBouncer 1.18 ends by itself once in a while that its links are struck: another takes its place. */
  const revive = async () => {
    if (pooler === undefined || reviving || isRunning(pooler.pid)) return;
    reviving = true;
    pooler = await startPooler();
    target.port = pooler.port;
    struck["PgBouncer ended by itself"] = (struck["PgBouncer ended by itself"] ?? 0) + 1;
    reviving = false;
  };
  const choices = kinds.filter(({ needsSession }) => !needsSession || pooler === undefined);
  const quick = choices.filter(({ quick }) => quick);
  try {
    for (const max of SIZES) {
      const url = new URL((pooler ?? server).url(name));
      url.port = String(wire.port);
      const options = { url: url.href, transport: "pool", target: over === "pgbouncer" ? "pgbouncer" : "postgres", max } as const;
      const own = { ...options, name: `calls ${seed} ${max}`, deadlineMs: DEADLINE_MS };
      const db = createDatabase({ ...own, types: { [MACADDR]: unreadable } });
      const pool = sharedPool({ ...options, name: own.name });
      const random = createRandom(Math.imul(seed, 1_000_003) + max);
      const until = row.rounds + Math.ceil(count / SIZES.length);
      const caller = async (): Promise<void> => {
        while (row.rounds < until) {
          const round = ++row.rounds;
          if (round % STRIKE_EVERY === 0) {
            await strike({ wire, outside, random }, struck);
            await revive();
          }
          await judge(random.pick(round % (2 * MOOD) < MOOD ? choices : quick), { db, pool, random, round, books, onSent: departures });
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      const { pipelined, waiting, idle, total, running } = db.stats();
      row.pipelined += pipelined;
      if (waiting > 0 || running > 0 || total > max) {
        books.problems.push({ problem: "left behind", detail: `${waiting} waiting, ${running} running, ${idle} idle of ${total}` });
      }
      await pool.end();
      await db.close();
    }
    await pooler?.stop();
    const { rows } = await outside.query<{ id: string; times: number }>(written);
    books.problems.push(...untrue(books.told, new Map(rows.map(({ id, times }) => [Number(id), times]))));
    const left = await backends(outside);
    if (left > 0) books.problems.push({ problem: "left behind", detail: `${left} backends` });
    if (wire.openConnections() > 0) books.problems.push({ problem: "left behind", detail: `${wire.openConnections()} connections` });
  } finally {
    await wire.close();
    await pooler?.stop();
    await outside.end();
    await maintenance.query(`drop database ${name} with (force)`);
    await maintenance.end();
  }
  const { told, failures, problems } = books;
  return { target: "calls", over, seed, ...row, fates: countFates(told), failures, strikes: struck, problems };
}

/** Where it is noted what became of calls. */
interface Books {
  readonly over: CallFuzzWay;
  readonly told: Map<number, Told>;
  readonly failures: Record<string, number>;
  readonly problems: CallProblem[];
}

/** What a call is made with, and where it is noted. */
interface Round extends Pick<CallInput, "db" | "pool" | "random" | "onSent"> {
  readonly round: number;
  readonly books: Books;
}

async function judge(call: Call, { round, books, ...input }: Round): Promise<void> {
  const { over, told, failures, problems } = books;
  const ids = Array.from({ length: call.writes ?? 0 }, (_, at) => round * IDS_PER_ROUND + at);
  const note = (fate: string) => {
    for (const id of ids) told.set(id, { fate, call: call.name });
  };
  const find = (problem: CallProblem["problem"], detail: string) => problems.push({ problem, detail: `${call.name}: ${detail}` });
  try {
    const wrong = await bounded(call.run({ ...input, number: round, ids }));
    if (wrong !== undefined) find("another's answer", wrong);
    note("done");
  } catch (error) {
    if (error instanceof Undone) return note("refused");
    if (error instanceof Hang) {
      find("does not end", `after ${HANG_MS} ms`);
      return note("unknown");
    }
    const { code = "", fate = "unknown" } = error as { readonly code?: string; readonly fate?: string };
    note(fate);
    const words = `${code} ${fate}`;
    failures[words] = (failures[words] ?? 0) + 1;
    if (!isWarmlineError(error) && !call.foreign) find("not an error of the package's", String(error));
    // else who is refused at once makes all the calls there are
    if (code === "CIRCUIT_OPEN") await delay(OPEN_MS);
    const isPoolers = over !== "direct" && code === LINK_LOST;
    if ((neverTold.test(code) && !isPoolers) || (!call.hurries && toldInHurry.test(code))) {
      find("an error that no call of its kind has", String(error));
    }
  }
}

class Hang extends Error {}

function bounded<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Hang()), HANG_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function strike(ground: StrikeGround, struck: Record<string, number>): Promise<void> {
  const name = ground.random.pick(Object.keys(strikes));
  const times = await (strikes[name] as (typeof strikes)[string])(ground);
  struck[name] = (struck[name] ?? 0) + times;
}

/** Tells when the values of a statement have left, among them a number. */
function watchDepartures(wire: Wire): CallInput["onSent"] {
  const awaited = new Map<string, () => void>();
  wire.onMessage(({ from, type, body }) => {
    if (type !== "B" || from !== "client") return;
    for (const [number, tell] of awaited) {
      if (!body.includes(number)) continue;
      awaited.delete(number);
      tell();
    }
  });
  return (number, tell) => {
    awaited.set(String(number), tell);
    return () => awaited.delete(String(number));
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function unreadable(): never {
  throw new Error("This value is not to be read.");
}

/** Tells what nobody caught until it is disposed of. */
function uncaught(tell: (error: unknown) => void): Disposable {
  process.on("uncaughtException", tell).on("unhandledRejection", tell);
  return {
    [Symbol.dispose]() {
      process.off("uncaughtException", tell).off("unhandledRejection", tell);
    },
  };
}

async function backends(outside: Client): Promise<number> {
  for (let wait = 0; ; wait++) {
    const { rows } = await outside.query(
      "select 1 from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()",
    );
    if (rows.length === 0 || wait === 100) return rows.length;
    await delay(50);
  }
}

/** Whether every call had its own answer, and enough was at stake. */
export function callsHold(row: CallFuzzRow, count: number): boolean {
  // how many share is the machine's to say: what is slow there is trusted late
  const enough = row.pipelined > 0 === (row.over === "direct") && Object.keys(row.strikes).length > 0;
  return row.rounds >= count && row.problems.length === 0 && (enough || count < FEW);
}

/** The row in words. */
export function describeCalls(row: CallFuzzRow): string {
  const inWords = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .sort(([, one], [, another]) => another - one)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ");
  return [
    `calls, ${row.over}, seed ${row.seed}: ${row.rounds} calls, ${row.pipelined} of them behind others, ${row.problems.length} problems`,
    `  writes: ${inWords(row.fates)}`,
    `  failures: ${inWords(row.failures)}`,
    `  strikes: ${inWords(row.strikes)}`,
    ...row.problems.slice(0, 20).map(({ problem, detail }) => `  ${problem}: ${detail}`),
  ].join("\n");
}
