import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { sql } from "../../../src/database/sql.ts";
import { type Bench, type Case, eventually, failureOf, onlyValue, type Subject } from "../case.ts";

/** How often a word was kept. */
const timesKept = (db: Database, word: string) => onlyValue(db.sql`select count(*)::int from kept where word = ${word}`);

/** What a call that keeps its word and then fails must end with: one row, nobody knows, and it was not tried again. */
const keepsOnce = (title: string, code: string, work: (db: Database, word: string, bench: Bench) => Promise<unknown>): Case => ({
  title,
  async run(bench) {
    const { db } = bench;
    const { retries } = db.stats();
    await failureOf(() => work(db, title, bench), { code, fate: "unknown", retryable: false });
    expect([await timesKept(db, title), db.stats().retries]).toEqual([1, retries]);
  },
});

/** What a call that fails must end with where nothing of it stays. */
const keepsNothing = (title: string, code: string, work: (db: Database, word: string) => Promise<unknown>): Case => ({
  title,
  async run({ db }) {
    await failureOf(() => work(db, title), { code, fate: "refused" });
    expect(await timesKept(db, title)).toBe(0);
  },
});

/** The text of a value: a word of this file's own. */
const quoted = (word: string) => `'${word}'`;

const block = (word: string) => `do $$ begin
  insert into kept values (${quoted(word)}); commit; raise exception 'a conflict' using errcode = '40001';
end $$`;

/** Ways to end a call early, and the code it ends with. */
const enders = {
  ATTEMPT_TIMEOUT: () => ({ attemptTimeoutMs: 400 }),
  DEADLINE_EXCEEDED: () => ({ deadlineMs: 400 }),
  ABORTED: () => ({ signal: AbortSignal.timeout(400) }),
} as const;

const committing: readonly Case[] = [
  keepsOnce("tells nobody knows of a procedure that commits and then conflicts", "40001", (db, word) =>
    db.query("call keep_and_conflict($1)", [word]),
  ),
  keepsOnce("tells the same of one behind a comment and an empty statement", "40001", (db, word) =>
    db.query("-- select\r;/* select /* */ */ call keep_and_conflict($1)", [word]),
  ),
  keepsOnce("tells the same of a DO", "40001", (db, word) => db.query(block(word))),
  keepsOnce("tells the same of a procedure in a session", "40001", (db, word) =>
    db.session((session) => session.query("call keep_and_conflict($1)", [word])),
  ),
  keepsOnce("tells the same of a script that is one procedure", "40001", (db, word) =>
    db.script(`call keep_and_conflict(${quoted(word)})`),
  ),
  keepsOnce("tells nobody knows of a script that conflicts after its COMMIT", "40001", (db, word) =>
    db.script(`begin; insert into kept values (${quoted(word)}); commit; select fail_with('40001')`),
  ),
  keepsOnce("tells the same where another transaction has begun", "40001", (db, word) =>
    db.script(`begin; insert into kept values (${quoted(word)}); commit; begin; select fail_with('40001'); commit`),
  ),
  keepsOnce("tells the same of a script that fails after its COMMIT", "22012", (db, word) =>
    db.script(`insert into kept values (${quoted(word)}); commit; select 1/0`),
  ),
  ...Object.entries(enders).map(([code, ender]) =>
    keepsOnce(`tells the same of a procedure that commits and is given up: ${code}`, code, (db, word) =>
      db.query("call keep_and_sleep($1)", [word], ender()),
    ),
  ),
  {
    title: "repeats what may commit by itself where the caller claims that it may",
    async run({ db }) {
      const { retries } = db.stats();
      await failureOf(() => db.query("call keep_and_conflict('claimed')", [], { idempotent: true }), { code: "40001", fate: "unknown" });
      expect([await timesKept(db, "claimed"), db.stats().retries]).toEqual([5, retries + 4]);
    },
  },
  {
    title: "tells nobody knows of an index that is built concurrently, and leaves a broken one",
    async run({ db }) {
      await db.script("create table twice (a int); insert into twice values (1), (1)");
      await failureOf(() => db.query("create unique index concurrently twice_once on twice (a)"), { code: "23505", fate: "unknown" });
      expect(await onlyValue(db.sql`select indisvalid from pg_index where indexrelid = 'twice_once'::regclass`)).toBe(false);
      await db.script("drop table twice");
    },
  },
  keepsNothing("refuses a procedure that would commit inside a transaction", "2D000", (db, word) =>
    db.transaction(async (tx) => {
      await tx.sql`insert into kept values (${word})`;
      await tx.query("call keep_and_conflict($1)", [word]);
    }),
  ),
  keepsNothing("refuses one in a batch", "2D000", (db, word) =>
    db.batch([sql`insert into kept values (${word})`, sql`call keep_and_conflict(${word})`]),
  ),
  keepsNothing("refuses a script without a COMMIT whole", "22012", (db, word) =>
    db.script(`insert into kept values (${quoted(word)}); select 1/0; insert into kept values (${quoted(word)})`),
  ),
  keepsNothing("refuses a script whose open transaction fails", "22012", (db, word) =>
    db.script(`begin; insert into kept values (${quoted(word)}); select 1/0; commit`),
  ),
];

const sessions: readonly Case[] = [
  keepsOnce("tells nobody knows of a session that fails after a statement of it was done", "22012", (db, word) =>
    db.session(async (session) => {
      await session.sql`insert into kept values (${word})`;
      await failureOf(() => session.sql`select 1/0`, { code: "22012", fate: "refused" });
      await session.sql`select 1/0`;
    }),
  ),
  keepsOnce("tells the same where a parameter of a later statement has no form in SQL", "UNDEFINED_VALUE", (db, word) =>
    db.session(async (session) => {
      await session.sql`insert into kept values (${word})`;
      await session.sql`select ${undefined}`;
    }),
  ),
  keepsOnce("tells the same where its deadline passes in a later statement", "DEADLINE_EXCEEDED", (db, word) =>
    db.session(
      async (session) => {
        await session.sql`insert into kept values (${word})`;
        await session.sql`select pg_sleep(600)`;
      },
      { deadlineMs: 1_500 },
    ),
  ),
  keepsNothing("refuses a session that fails in a transaction of its own, and has done nothing else", "22012", (db, word) =>
    db.session(async (session) => {
      await session.query("begin");
      await session.sql`insert into kept values (${word})`;
      await session.sql`select 1/0`;
    }),
  ),
];

const never = () => new Promise<never>(() => {});

const beside: readonly Case[] = [
  {
    title: "tells nobody knows of a session whose insert nobody waits for, when another statement of it has no form",
    async run({ db }) {
      const work = () =>
        db.session(async (session) => {
          await session.sql`begin`;
          await session.sql`rollback`;
          await Promise.all([session.sql`insert into kept values ('nobody waits')`, session.sql`select ${undefined}`]);
        });
      await failureOf(work, { code: "UNDEFINED_VALUE", fate: "unknown" });
    },
  },
  keepsOnce("tells the same of one that ends with the error of a call beside it", "22012", (db, word, { open }) =>
    db.session(async (session) => {
      await session.sql`insert into kept values (${word})`;
      await open().query("select 1/0");
    }),
  ),
  {
    title: "takes no word of another call for its own, nor repeats for it",
    async run({ db, open }) {
      let runs = 0;
      const work = () =>
        db.transaction(
          async (tx) => {
            runs++;
            await tx.sql`insert into kept values ('beside')`;
            await open().query("select fail_with('40001')");
          },
          { retries: 3 },
        );
      await failureOf(work, { code: "40001", fate: "refused", retryable: false });
      expect([runs, await timesKept(db, "beside")]).toEqual([1, 0]);
    },
  },
  {
    title: "commits no half of a savepoint that nobody waits for",
    async run({ db }) {
      const ended = Promise.withResolvers<unknown>();
      const work = () =>
        db.transaction(async (tx) => {
          const first = Promise.withResolvers<void>();
          tx.transaction(async (inner) => {
            await inner.sql`insert into kept values ('half')`;
            first.resolve();
            await inner.sql`insert into kept values ('half')`;
          }).then(ended.resolve, ended.resolve);
          await first.promise;
        });
      await failureOf(work, { code: "TRANSACTION_OVER", fate: "refused" });
      await ended.promise;
      expect(await timesKept(db, "half")).toBe(0);
    },
  },
  {
    title: "refuses a session whose answer could not be read inside a transaction of its own",
    async run({ db, open }) {
      const types = {
        23: () => {
          throw new Error("no number");
        },
      };
      const work = () =>
        open({ types }).session(async (session) => {
          await session.query("begin");
          await session.sql`insert into ledger values (4713) returning entry`;
        });
      await failureOf(work, { code: "DECODE_FAILED", fate: "refused" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 4713`)).toBe(0);
    },
  },
  ...(["transaction", "session"] as const).map(
    (call): Case => ({
      title: `ends a ${call} whose statement outlived its cancel, and whose callback goes on, and gives its connection to the next call`,
      async run({ open, mark }) {
        const db = open({ name: `${mark} outlived in a ${call}`, max: 1, acquireTimeoutMs: 60_000 });
        const begun = Promise.withResolvers<void>();
        const work = async (held: Pick<Database, "sql">) => {
          begun.resolve();
          await held.sql`select outlive_its_cancel()`;
          await never();
        };
        const ending = () => (call === "session" ? db.session(work, { deadlineMs: 700 }) : db.transaction(work, { deadlineMs: 700 }));
        const told =
          call === "session" ? ({ fate: "unknown", retryable: false } as const) : ({ fate: "refused", retryable: true } as const);
        const ended = failureOf(ending, { code: "DEADLINE_EXCEEDED", ...told });
        await begun.promise;
        const [next] = await Promise.all([db.sql`select 1 as n`, ended]);
        expect(next).toEqual([{ n: 1 }]);
        expect(db.stats()).toMatchObject({ running: 0, waiting: 0 });
      },
    }),
  ),
  {
    title: "reads and writes no text in another encoding than UTF-8",
    async run({ db }) {
      await failureOf(
        () =>
          db.session(async (session) => {
            await session.query("do $$ begin set client_encoding = 'LATIN1'; end $$");
            await session.sql`insert into kept values (${"é"})`;
          }),
        { code: "OUT_OF_STEP", fate: "unknown" },
      );
      await db.sql`insert into kept values (${"é"})`;
      expect(await onlyValue(db.sql`select min(octet_length(word))::int from kept where word like ${"%é%"}`)).toBe(2);
    },
  },
  {
    title: "tells of a value whose own code throws",
    async run({ db }) {
      const value = {
        toPostgres() {
          throw new Error("canary");
        },
      };
      const error = await failureOf(() => db.sql`select ${value}`, { code: "UNSUPPORTED_VALUE", fate: "not-sent" });
      expect(String(error.stack)).not.toContain("canary");
    },
  },
];

const guards: readonly Case[] = [
  ...[";commit", "; rollback", "-- x\rcommit", "/* /* */ */;;end", "PREPARE/**/TRANSACTION 'a'"].map(
    (text): Case => ({
      title: `lets no transaction be ended from inside: ${JSON.stringify(text)}`,
      async run({ db }) {
        const expected = { code: "TRANSACTION_CONTROL" };
        await failureOf(
          () =>
            db.transaction(async (tx) => {
              await tx.sql`insert into kept values (${text})`;
              await tx.query(text);
            }),
          { ...expected, fate: "refused" },
        );
        await failureOf(() => db.batch([sql`insert into kept values (${text})`, sql`${sql.raw(text)}`, sql`select 1/0`]), expected);
        await failureOf(() => db.query(text), { ...expected, fate: "not-sent" });
        expect(await timesKept(db, text)).toBe(0);
      },
    }),
  ),
  {
    title: "lets no batch switch off that it is read only",
    async run({ db }) {
      for (const off of ["set transaction read write", "set transaction_read_only = off", "set local transaction_read_only to off"]) {
        const statements = [sql`${sql.raw(off)}`, sql`insert into kept values ('read only')`];
        const { sqlState } = (await failureOf(() => db.batch(statements, { readOnly: true }), {
          ...{ name: "DatabaseError", code: "25001" },
          fate: "refused",
        })) as Error & { sqlState?: string };
        expect(sqlState).toBe("25001");
      }
      expect(await timesKept(db, "read only")).toBe(0);
    },
  },
  {
    title: "lets no transaction switch off that it is read only",
    async run({ db }) {
      const work = () =>
        db.transaction(
          async (tx) => {
            await tx.query("set transaction read write");
            await tx.sql`insert into kept values ('read only')`;
          },
          { readOnly: true },
        );
      await failureOf(work, { code: "25001", fate: "refused" });
      expect(await timesKept(db, "read only")).toBe(0);
    },
  },
  {
    title: "takes readOnly: false in a batch for what it says, whatever the role's own default is",
    async run({ db, open, mark }) {
      // a target that takes nothing at login leaves the default as it is
      const { startupParameters } = db.plan.capabilities;
      const options = startupParameters ? { startupOptions: `-c search_path=${mark} -c default_transaction_read_only=on` } : {};
      await using own = open(options);
      const statements = [sql`insert into kept values ('written')`, sql`select 1`];
      if (startupParameters) await failureOf(() => own.batch(statements), { code: "25006" });
      await own.batch(statements, { readOnly: false });
      expect(await timesKept(db, "written")).toBe(1);
    },
  },
  {
    title: "ends the handle of a savepoint with its savepoint, also inside the next",
    async run({ db }) {
      await db.transaction(async (tx) => {
        const first = await tx.transaction(async (inner) => inner);
        await tx.transaction(async (second) => {
          await second.sql`select 1`;
          await failureOf(() => first.sql`insert into kept values ('late')`, { code: "TRANSACTION_OVER" });
        });
      });
      expect(await timesKept(db, "late")).toBe(0);
    },
  },
  {
    title: "tells nobody knows of a script that leaves its transaction open, and undoes it",
    async run({ db }) {
      await failureOf(() => db.script("begin; insert into kept values ('left open')"), { code: "OUT_OF_STEP", fate: "unknown" });
      expect(await timesKept(db, "left open")).toBe(0);
    },
  },
];

const inStep: readonly Case[] = [
  {
    title: "names no statement of a batch whose COMMIT is refused, nor of a query that is read only",
    async run({ db }) {
      const orphan = [sql`set constraints all deferred`, sql`insert into person values (${4711}, ${"Orphan"}, ${1}, ${4712})`];
      const refused = await failureOf(() => db.batch(orphan), { code: "23503", fate: "refused" });
      const failed = await failureOf(() => db.query("select 1/0", [], { readOnly: true }), { code: "22012", fate: "refused" });
      expect([refused, failed].map((error) => "statementIndex" in error)).toEqual([false, false]);
      expect(await onlyValue(db.sql`select count(*)::int from person where id = 4711`)).toBe(0);
    },
  },
  {
    title: "gives every caller its own rows after a script that would copy from its client",
    async run({ db }) {
      for (let round = 0; round < 10; round++) {
        await failureOf(() => db.script("copy kept from stdin"), { code: "57014", fate: "refused" });
        const numbers = [1, 2, 3].map((number) => round * 10 + number);
        const asked = numbers.map((number) => onlyValue(db.sql`select ${number}::int as number`));
        expect(await Promise.all(asked)).toEqual(numbers);
      }
    },
  },
  {
    title: "keeps its connection, and asks once, where a parameter is missing",
    async run({ db }) {
      const { retries } = db.stats();
      for (const claims of [{}, { readOnly: true }, { idempotent: true }]) {
        await failureOf(() => db.query("select $1::int, $2::int", [1], claims), { code: "08P01", fate: "refused", retryable: false });
      }
      expect(db.stats().retries).toBe(retries);
    },
  },
  {
    title: "asks once where a function raises what a lost link would",
    async run({ db }) {
      const { retries } = db.stats();
      for (const claims of [{}, { readOnly: true }, { idempotent: true }]) {
        await failureOf(() => db.query("select fail_with('08001')", [], claims), { code: "08001", fate: "refused", retryable: false });
      }
      expect(db.stats().retries).toBe(retries);
    },
  },
];

/** Ends what a transaction runs on while nothing is on its way, and resolves when it is gone. */
async function endIdle(tx: Pick<Database, "sql">, { open }: Bench): Promise<void> {
  const pid = await onlyValue(tx.sql`select pg_backend_pid()`);
  const others = open();
  await others.sql`select pg_terminate_backend(${pid}::int)`;
  await eventually(() => onlyValue(others.sql`select count(*)::int from pg_stat_activity where pid = ${pid}::int`), 0);
}

/** A connection that is lost between two statements. */
const between: readonly Case[] = ["a statement", "COMMIT"].map((next) => ({
  title: `runs a transaction again whose connection ended before ${next}, and tells it as retryable`,
  async run(bench) {
    const { db, transport } = bench;
    // COMMIT may leave before the farewell is heard; what a pooler between then says of it proves nothing
    if (transport === "http" && next === "COMMIT") return;
    for (const retries of [1, 0]) {
      const word = `${bench.mark} ${next} ${retries}`;
      let runs = 0;
      const work = () =>
        db.transaction(
          async (tx) => {
            await tx.sql`insert into kept values (${word})`;
            if (++runs === 1) await endIdle(tx, bench);
            if (next !== "COMMIT") await tx.sql`select 1`;
          },
          { retries },
        );
      if (retries > 0) await work();
      else expect(await work().catch((error: unknown) => error)).toMatchObject({ fate: "refused", retryable: true });
      expect([await timesKept(db, word), runs]).toEqual([retries, 1 + retries]);
    }
  },
}));

/** What a fate promises, whatever the statement is. */
export const truth: Subject = { title: "truth", cases: [...committing, ...sessions, ...beside, ...guards, ...inStep, ...between] };
