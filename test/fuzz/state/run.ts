import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { createDatabase, type Database, isWarmlineError, type Row, sql } from "../../../src/entry/node.ts";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { LOOK, seen, traces } from "../../support/session-traces.ts";

/** Something that a session left to the next. The same seed and number make the same session. */
export interface StateProblem {
  /** The last session that had ended, or null for what the server counted at the end. */
  readonly round: number | null;
  readonly problem: "found" | "failed" | "left behind";
  readonly detail: string;
}

/** What became of the part named `state`. */
export interface StateFuzzRow {
  readonly target: "state";
  readonly seed: number;
  readonly sessions: number;
  /** How they ended, and in which way state was set. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Statements that set state, and sessions that saw of themselves that they were not as new. */
  readonly statements: number;
  readonly changed: number;
  /** Next users that looked; connections that were opened, and those of them that were thrown away. */
  readonly looks: number;
  readonly connects: number;
  readonly discarded: number;
  readonly problems: readonly StateProblem[];
}

/** How long it goes on. */
export interface StateFuzzOptions {
  readonly seed: number;
  readonly count: number;
}

const CALLERS = 6;
/** Fewer than callers: a slot that is cleaned has somebody waiting. */
const CONNECTIONS = 3;
const MOST_STATEMENTS = 6;
/** So few sessions need not have met with everything. */
const FEW = 1_000;

class Own extends Error {}

/** One session, by its own chance. */
interface Round {
  readonly db: Database;
  readonly random: Random;
  readonly texts: readonly string[];
  readonly note: (what: "statement" | "changed") => void;
  readonly isNew: (row: Row) => boolean;
}

/** Runs `count` sessions that set state at random and end at random, several at a time, and says what anybody after them found. */
export async function runStateFuzz(server: PostgresServer, { seed, count }: StateFuzzOptions): Promise<StateFuzzRow> {
  const applicationName = `state ${randomUUID().slice(0, 8)}`;
  const db = createDatabase({
    url: server.url(),
    transport: "pool",
    name: randomUUID(),
    applicationName,
    max: CONNECTIONS,
    deadlineMs: 60_000,
  });
  const fresh = JSON.stringify(seen((await db.query(LOOK)).rows));
  const isNew = (row: Row) => JSON.stringify(row) === fresh;
  const kinds: Record<string, number> = {};
  const problems: StateProblem[] = [];
  const counts = { statement: 0, changed: 0 };
  let begun = 0;
  let looks = 0;
  const note = (what: keyof typeof counts) => void counts[what]++;
  const caller = async () => {
    while (begun < count) {
      const round = begun++;
      const random = createRandom(Math.imul(seed, 1_000_003) + round);
      const kind = random.pick(Object.keys(ways));
      // what DO sets inside cannot be seen: it is promised of sessions and scripts alone
      const choices = /^a (transaction|batch)/.test(kind) ? traces.filter((text) => !text.startsWith("do ")) : traces;
      const texts = Array.from({ length: random.between(1, MOST_STATEMENTS) }, () =>
        random.pick(choices).replaceAll("N", String(round + 1)),
      );
      kinds[kind] = (kinds[kind] ?? 0) + 1;
      const problem = await ways[kind]?.({ db, random, texts, note, isNew }).then(unexpected, unexpected);
      if (problem !== undefined) problems.push({ round, problem: "failed", detail: `${kind}: ${problem}` });
      const found = seen((await db.query(LOOK)).rows);
      looks++;
      if (!isNew(found)) problems.push({ round, problem: "found", detail: `${kind}: ${JSON.stringify(found)}` });
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const { connects, discarded } = db.stats();
  problems.push(...(await leftBehind(server, applicationName)));
  await db.close();
  return {
    target: "state",
    seed,
    sessions: begun,
    kinds,
    statements: counts.statement,
    changed: counts.changed,
    looks,
    connects,
    discarded,
    problems,
  };
}

/** What a session, transaction, batch or script does, by how it ends. */
const ways: Readonly<Record<string, (round: Round) => Promise<unknown>>> = {
  "a session": (round) => inSession(round, async () => {}),
  "a session that throws": (round) => inSession(round, () => Promise.reject(new Own())),
  "a session that leaves its transaction open": (round) =>
    round.db.session(async (session) => {
      await session.query("begin");
      await setAll(round, (text) => session.query(text), true);
    }),
  "a session that awaits nothing": (round) =>
    round.db.session(async (session) => {
      for (const text of round.texts) session.query(text).catch(() => {});
      round.note("statement");
    }),
  "a session that is aborted": async (round) => {
    const abort = new AbortController();
    await round.db.session(
      async (session) => {
        await setAll(round, (text) => session.query(text), true);
        setTimeout(() => abort.abort(), round.random.between(0, 3));
        await session.query("select pg_sleep(60)");
      },
      { signal: abort.signal },
    );
  },
  "a session that is killed": (round) =>
    round.db.session(async (session) => {
      await setAll(round, (text) => session.query(text), true);
      await session.query("reset role; select 1").catch(() => {});
      await session.query("select pg_terminate_backend(pg_backend_pid())");
    }),
  "a session past its deadline": (round) =>
    round.db.session(
      async (session) => {
        await setAll(round, (text) => session.query(text), true);
        await new Promise(() => {});
      },
      { deadlineMs: 100 },
    ),
  "a transaction": (round) => round.db.transaction((tx) => setAll(round, (text) => tx.query(text))),
  "a transaction that throws": (round) =>
    round.db.transaction(async (tx) => {
      await setAll(round, (text) => tx.query(text));
      throw new Own();
    }),
  "a transaction that goes on behind what failed": (round) =>
    round.db.transaction((tx) => setAll(round, (text) => tx.transaction((inner) => inner.query(text)), true)),
  "a batch": (round) => round.db.batch(round.texts.map((text) => sql`${sql.raw(text)}`)),
  "a script": (round) => round.db.script(round.texts.join("; ")),
};

async function inSession(round: Round, end: () => Promise<void>): Promise<void> {
  await round.db.session(async (session) => {
    await setAll(round, (text) => session.query(text), true);
    const own = await session.query(LOOK).catch(() => undefined);
    if (own !== undefined && !round.isNew(seen(own.rows))) round.note("changed");
    await end();
  });
}

/** Sends the texts one after the other; with `on` also behind one that failed. */
async function setAll({ texts, note }: Round, send: (text: string) => Promise<unknown>, on = false): Promise<void> {
  for (const text of texts) {
    note("statement");
    const sent = send(text);
    await (on ? sent.catch(() => {}) : sent);
  }
}

/** What is wrong with the end of a session, if anything: everything it may end with is one of our errors, or its own. */
function unexpected(end: unknown): string | undefined {
  if (!(end instanceof Error) || end instanceof Own) return undefined;
  if (!isWarmlineError(end)) return String(end);
  return ["SESSION_STATE", "NOT_DELIVERED", "OUT_OF_STEP", "ACQUIRE_TIMEOUT"].includes(end.code) ? end.code : undefined;
}

/** What the server still counts of it when everybody is done. */
async function leftBehind(server: PostgresServer, applicationName: string): Promise<readonly StateProblem[]> {
  const outside = new Client({ connectionString: server.url() });
  await outside.connect();
  const { rows } = await outside.query(
    `select (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
      (select count(*)::int from pg_stat_activity where application_name = $1) as backends`,
    [applicationName],
  );
  await outside.end();
  const { locks, backends } = rows[0] as { readonly locks: number; readonly backends: number };
  const left = [...(locks > 0 ? [`${locks} locks`] : []), ...(backends > CONNECTIONS ? [`${backends} backends`] : [])];
  return left.map((detail) => ({ round: null, problem: "left behind", detail }));
}

/** Whether nobody found anything, and enough was at stake. */
export function stateHolds(row: StateFuzzRow, count: number): boolean {
  const enough = row.changed > count / 10 && row.discarded > 0 && row.connects < row.sessions / 2;
  return row.sessions === count && row.looks === count && row.problems.length === 0 && (enough || count < FEW);
}

/** The row in words. */
export function describeState(row: StateFuzzRow): string {
  const kinds = Object.entries(row.kinds).map(([kind, times]) => `${kind} ${times}`);
  return [
    `state, seed ${row.seed}: ${row.sessions} sessions, ${row.looks} next users, ${row.problems.length} problems`,
    `  ${row.statements} statements set state; ${row.changed} sessions saw that they were not as new; ${row.connects} connections, ${row.discarded} thrown away`,
    `  ended as: ${kinds.join(", ")}`,
    ...row.problems.slice(0, 20).map(({ round, problem, detail }) => `  session ${round ?? "–"}: ${problem}: ${detail}`),
  ].join("\n");
}
