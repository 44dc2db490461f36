import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { DatabaseError } from "../../../src/errors/database-error.ts";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const mode = sql<{ isolation: string; readonly: string; deferrable: string }>`
  select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as readonly,
    current_setting('transaction_deferrable') as deferrable`;

const cases: readonly Case[] = [
  {
    title: "gives a result for each statement, in order and typed",
    async run({ db }) {
      const [first, second, third] = await db.batch([
        sql<{ n: number }>`select ${1}::int as n`,
        sql<{ word: string }>`select ${"two"}::text as word`,
        sql`insert into ledger values (${3001}) returning entry`,
      ]);
      const number: number | undefined = first.rows[0]?.n;
      const word: string | undefined = second.rows[0]?.word;
      expect([number, word]).toEqual([1, "two"]);
      expect(third).toMatchObject({ rows: [{ entry: 3001 }], rowCount: 1, command: "INSERT" });
      expect(third.fields.map(({ name }) => name)).toEqual(["entry"]);
    },
  },
  {
    title: "gives nothing for no statements",
    async run({ db }) {
      expect(await db.batch([])).toEqual([]);
    },
  },
  {
    title: "takes a single statement",
    async run({ db }) {
      expect((await db.batch([sql`select 1 as n`])).map(({ rows }) => rows)).toEqual([[{ n: 1 }]]);
    },
  },
  {
    title: "takes an empty statement among others",
    async run({ db }) {
      const results = await db.batch([sql`select 1 as n`, sql``, sql`select 2 as n`]);
      expect(results.map(({ rows, command, rowCount }) => [rows, command, rowCount])).toEqual([
        [[{ n: 1 }], "SELECT", 1],
        [[], null, null],
        [[{ n: 2 }], "SELECT", 1],
      ]);
    },
  },
  {
    title: "lets a statement see what those before it did",
    async run({ db }) {
      const [, count] = await db.batch([
        sql`insert into ledger values (3002)`,
        sql`select count(*)::int as n from ledger where entry = 3002`,
      ]);
      expect(count.rows).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "keeps all of it",
    async run({ db }) {
      await db.batch([sql`insert into ledger values (3003)`, sql`insert into ledger values (3003)`]);
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3003`)).toBe(2);
    },
  },
  ...[0, 1, 2].map(
    (failing): Case => ({
      title: `undoes all of it when statement ${failing} fails`,
      async run({ db, transport }) {
        const statements = [0, 1, 2].map((index) => (index === failing ? sql`select 1/0` : sql`insert into ledger values (3004)`));
        const error = await failureOf(() => db.batch(statements), { name: "DatabaseError", code: "22012", fate: "refused" });
        expect(error).toHaveProperty("routine", "int4div");
        // HTTP does not tell: accepted-differences.ts
        expect((error as DatabaseError).statementIndex).toBe(transport === "http" ? undefined : failing);
        expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3004`)).toBe(0);
      },
    }),
  ),
  {
    title: "undoes all of it when a deferred constraint fails at COMMIT",
    async run({ db }) {
      const work = () =>
        db.batch([
          sql`set constraints all deferred`,
          sql`insert into person values (31, 'Late', 1, 999)`,
          sql`insert into ledger values (3005)`,
        ]);
      const error = await failureOf(work, { name: "DatabaseError", code: "23503", fate: "refused" });
      expect(error).toHaveProperty("constraint", "person_boss_reference");
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3005`)).toBe(0);
    },
  },
  {
    title: "accepts a deferred constraint that holds at COMMIT",
    async run({ db }) {
      await db.batch([
        sql`set constraints all deferred`,
        sql`insert into person values (33, 'Worker', 1, 34)`,
        sql`insert into person values (34, 'Boss', 1, null)`,
      ]);
      await db.batch([sql`delete from person where id = 33`, sql`delete from person where id = 34`]);
    },
  },
  ...(["read uncommitted", "read committed", "repeatable read", "serializable"] as const).map(
    (isolation): Case => ({
      title: `runs at ${isolation}`,
      async run({ db }) {
        const [result] = await db.batch([mode], { isolation });
        expect(result.rows[0]?.isolation).toBe(isolation);
      },
    }),
  ),
  {
    title: "runs by the server's defaults unless told otherwise",
    async run({ db }) {
      const [result] = await db.batch([mode]);
      expect(result.rows).toEqual([{ isolation: "read committed", readonly: "off", deferrable: "off" }]);
    },
  },
  {
    title: "runs read-only, and lets nothing be written",
    async run({ db }) {
      const [result] = await db.batch([mode], { readOnly: true });
      expect(result.rows[0]?.readonly).toBe("on");
      await failureOf(() => db.batch([sql`insert into ledger values (3006)`], { readOnly: true }), { code: "25006", fate: "refused" });
    },
  },
  {
    title: "runs deferrable",
    async run({ db }) {
      const [result] = await db.batch([mode], { isolation: "serializable", readOnly: true, deferrable: true });
      expect(result.rows).toEqual([{ isolation: "serializable", readonly: "on", deferrable: "on" }]);
    },
  },
  {
    title: "runs read-write by word, too",
    async run({ db }) {
      const [result] = await db.batch([mode], { readOnly: false, deferrable: false });
      expect(result.rows[0]).toMatchObject({ readonly: "off", deferrable: "off" });
    },
  },
  {
    title: "lets no mode or setting leak into what comes after",
    async run({ db }) {
      await db.batch([sql`set local work_mem = '123kB'`, mode], { isolation: "serializable", readOnly: true });
      const [result] = await db.batch([mode]);
      expect(result.rows).toEqual([{ isolation: "read committed", readonly: "off", deferrable: "off" }]);
      expect(await onlyValue(db.sql`select current_setting('work_mem') = '123kB'`)).toBe(false);
    },
  },
  {
    title: "gives rows as arrays by rowMode",
    async run({ db }) {
      const results = await db.batch([sql`select 1 as a, 2 as a`, sql`select '{3}'::int[] as b`], { rowMode: "array" });
      expect(results.map(({ rows }) => rows)).toEqual([[[1, 2]], [[[3]]]]);
    },
  },
  ...["begin", "commit", "rollback", "savepoint x"].map(
    (text): Case => ({
      title: `refuses ${text} inside, and sends nothing`,
      async run({ db }) {
        const work = () => db.batch([sql`insert into ledger values (3007)`, sql.raw(text)]);
        await failureOf(work, { name: "UsageError", code: "TRANSACTION_CONTROL", fate: "not-sent" });
        expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3007`)).toBe(0);
      },
    }),
  ),
  {
    title: "refuses a value that cannot be sent, and sends nothing",
    async run({ db }) {
      const work = () => db.batch([sql`insert into ledger values (3008)`, sql`select ${undefined}`]);
      await failureOf(work, { name: "UsageError", code: "UNDEFINED_VALUE", fate: "not-sent" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3008`)).toBe(0);
    },
  },
  {
    title: "refuses what is no statement",
    async run({ db }) {
      await failureOf(() => db.batch("select 1" as never), { code: "INVALID_STATEMENT" });
      await failureOf(() => db.batch([sql`select 1`, 2 as never]), { code: "INVALID_STATEMENT" });
      const sent = db.sql`select 1 as n`;
      await failureOf(() => db.batch([sent as never]), { code: "PROMISE_VALUE" });
      await sent;
    },
  },
  {
    title: "refuses two statements in one text",
    async run({ db }) {
      await failureOf(() => db.batch([sql`insert into ledger values (3009)`, sql`select 1; select 2`]), { code: "42601", fate: "refused" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 3009`)).toBe(0);
    },
  },
  {
    title: "runs fifty statements of large values",
    async run({ db }) {
      const results = await db.batch(
        Array.from({ length: 50 }, (_, i) => sql<{ n: number }>`select length(${"x".repeat(20_000 + i)}) as n`),
      );
      expect(results.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 50 }, (_, i) => 20_000 + i));
    },
  },
  {
    title: "runs concurrently with others, each atomic",
    async run({ db }) {
      await Promise.all(
        Array.from({ length: 8 }, () => db.batch([sql`insert into ledger values (3010)`, sql`insert into ledger values (-3010)`])),
      );
      expect(await db.sql`select sum(entry)::int as sum, count(*)::int as n from ledger where abs(entry) = 3010`).toEqual([
        { sum: 0, n: 16 },
      ]);
    },
  },
];

/** Batches: one transaction in one round trip. */
export const batches: Subject = { title: "batches", cases };
