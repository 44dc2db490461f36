import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { createDatabase, type Database, isWarmlineError } from "../../../src/entry/node.ts";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { type Call, calls } from "./kinds.ts";

/** Something that may never be: a call with another's answer, a fate that is not true, a call without an end. */
export interface CallProblem {
  readonly problem: "another's answer" | "a fate that is not true" | "not an error of the package's" | "left behind";
  readonly detail: string;
}

/** What became of the part named `calls`. */
export interface CallFuzzRow {
  readonly target: "calls";
  readonly seed: number;
  readonly rounds: number;
  /** Calls written behind others on their connection. */
  readonly pipelined: number;
  /** Of writes, by what their callers were told. */
  readonly fates: Readonly<Record<string, number>>;
  /** Backends that were killed, and connections that were cut. */
  readonly strikes: number;
  readonly problems: readonly CallProblem[];
}

/** How long it goes on. */
export interface CallFuzzOptions {
  readonly seed: number;
  readonly count: number;
}

const CALLERS = 50;
/** Connections of the databases that are called. */
const SIZES = [1, 2, 4] as const;
/** So few calls need not have met with everything. */
const FEW = 1_000;
/** A backend is killed or a connection cut every so many calls. */
const STRIKE_EVERY = 500;
const schema = `
  create table soak (id bigint primary key, changing int default 0);
  create function waits(seconds float8, n int) returns int language sql as 'select pg_sleep(seconds); select n'`;

/** Makes `count` calls from fifty callers over few connections while backends are killed, and holds what each was told against the table. */
export async function runCallFuzz(server: PostgresServer, { seed, count }: CallFuzzOptions): Promise<CallFuzzRow> {
  const name = `calls_${seed}`;
  const maintenance = new Client({ connectionString: server.url() });
  await maintenance.connect();
  await maintenance.query(`create database ${name}`);
  const outside = new Client({ connectionString: server.url(name) });
  await outside.connect();
  await outside.query(schema);
  const wire = await startWire(server);
  const problems: CallProblem[] = [];
  const told = new Map<number, string>();
  const row = { rounds: 0, pipelined: 0, strikes: 0 };
  try {
    for (const max of SIZES) {
      const url = new URL(server.url(name));
      url.port = String(wire.port);
      const db = createDatabase({ url: url.href, transport: "pool", name: `calls ${seed} ${max}`, max, deadlineMs: 20_000 });
      const random = createRandom(seed + max);
      const until = row.rounds + Math.ceil(count / SIZES.length);
      const caller = async (): Promise<void> => {
        while (row.rounds < until) {
          const round = ++row.rounds;
          if (round % STRIKE_EVERY === 0) row.strikes += await strike(random, { wire, outside });
          await judge(random.pick(calls), { db, random, round, told, problems });
        }
      };
      await Promise.all(Array.from({ length: CALLERS }, caller));
      row.pipelined += db.stats().pipelined;
      await db.close();
    }
    const { rows } = await outside.query<{ id: string }>("select id from soak");
    problems.push(...untrue(told, new Set(rows.map(({ id }) => Number(id)))));
    const left = await backends(outside);
    if (left > 0) problems.push({ problem: "left behind", detail: `${left} backends` });
  } finally {
    await wire.close();
    await outside.end();
    await maintenance.query(`drop database ${name} with (force)`);
    await maintenance.end();
  }
  return { target: "calls", seed, ...row, fates: countFates(told), problems };
}

/** What a call is made with, and where it is noted. */
interface Round {
  readonly db: Database;
  readonly random: Random;
  readonly round: number;
  readonly told: Map<number, string>;
  readonly problems: CallProblem[];
}

/** Ids of what one round writes. */
const IDS_PER_ROUND = 10;

async function judge(call: Call, { db, random, round, told, problems }: Round): Promise<void> {
  const ids = call.writes ? Array.from({ length: call.writes }, (_, at) => round * IDS_PER_ROUND + at) : [];
  const note = (fate: string) => {
    for (const id of ids) told.set(id, fate);
  };
  try {
    const wrong = await call.run(db, { number: round, ids, random });
    if (wrong !== undefined) problems.push({ problem: "another's answer", detail: `${call.name}: ${wrong}` });
    note("done");
  } catch (error) {
    if (isWarmlineError(error)) note(error.fate);
    else problems.push({ problem: "not an error of the package's", detail: `${call.name}: ${String(error)}` });
  }
}

/** Kills a backend, or cuts every connection; both where they stand. */
async function strike(random: Random, { wire, outside }: { readonly wire: Wire; readonly outside: Client }): Promise<number> {
  if (random.once(3)) {
    wire.cut();
    return 1;
  }
  if (random.once(2)) {
    await outside.query("alter table soak alter changing type bigint").catch(() => {});
    await outside.query("alter table soak alter changing type int").catch(() => {});
  }
  const { rowCount } = await outside.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() limit 1`,
  );
  return rowCount ?? 0;
}

/** Whom the table belies. */
export function untrue(told: ReadonlyMap<number, string>, there: ReadonlySet<number>): CallProblem[] {
  const problems: CallProblem[] = [];
  for (const [id, fate] of told) {
    const is = there.has(id);
    const isTrue = fate === "unknown" || is === (fate === "done" || fate === "applied");
    if (!isTrue) problems.push({ problem: "a fate that is not true", detail: `${id}: ${fate}, and it is ${is ? "" : "not "}there` });
  }
  for (const id of there) if (!told.has(id)) problems.push({ problem: "a fate that is not true", detail: `${id}: nobody wrote it` });
  return problems;
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

function countFates(told: ReadonlyMap<number, string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const fate of told.values()) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}

/** Whether every call had its own answer, and enough was at stake. */
export function callsHold(row: CallFuzzRow, count: number): boolean {
  // how many share is the machine's to say: what is slow there is trusted late
  const enough = row.pipelined > 0 && row.strikes > 0;
  return row.rounds >= count && row.problems.length === 0 && (enough || count < FEW);
}

/** The row in words. */
export function describeCalls(row: CallFuzzRow): string {
  const fates = Object.entries(row.fates)
    .map(([fate, times]) => `${fate} ${times}`)
    .join(", ");
  return [
    `calls, seed ${row.seed}: ${row.rounds} calls, ${row.pipelined} of them behind others, ${row.strikes} strikes, ${row.problems.length} problems`,
    `  writes: ${fates}`,
    ...row.problems.slice(0, 20).map(({ problem, detail }) => `  ${problem}: ${detail}`),
  ].join("\n");
}
