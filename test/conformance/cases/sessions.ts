import { expect } from "vitest";
import type { DatabaseSession } from "../../../src/database/session.ts";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const cases: readonly Case[] = [
  {
    title: "holds one connection, and says which",
    async run({ db, transport }) {
      await db.session(async (session) => {
        expect(session.via).toMatchObject({ transport, connectionId: expect.any(String) });
        const first = await onlyValue(session.sql`select pg_backend_pid()`);
        expect(await onlyValue(session.sql`select pg_backend_pid()`)).toBe(first);
      });
    },
  },
  {
    title: "keeps settings, temporary tables and advisory locks from one statement to the next",
    async run({ db }) {
      if (!db.plan.capabilities.sessionState) return;
      await db.session(async (session) => {
        await session.sql`create temporary table passing (a int) on commit preserve rows`;
        await session.sql`insert into passing values (1)`;
        expect(await session.sql`select a from passing`).toEqual([{ a: 1 }]);
        expect(await session.sql`select pg_try_advisory_lock(77) as locked, pg_advisory_unlock(77) as unlocked`).toEqual([
          { locked: true, unlocked: true },
        ]);
        await session.sql`drop table passing`;
      });
    },
  },
  {
    title: "takes transaction control as it is",
    async run({ db }) {
      await db.session(async (session) => {
        await session.query("begin");
        await session.sql`insert into ledger values (${5001})`;
        await session.query("commit");
        await session.query("begin");
        await session.sql`insert into ledger values (${5001})`;
        expect((await session.query("rollback")).command).toBe("ROLLBACK");
      });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 5001`)).toBe(1);
    },
  },
  {
    title: "undoes a transaction left open",
    async run({ db }) {
      await db.session(async (session) => {
        await session.query("begin");
        await session.sql`insert into ledger values (5002)`;
      });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 5002`)).toBe(0);
    },
  },
  {
    title: "goes on after a statement failed",
    async run({ db }) {
      await db.session(async (session) => {
        await failureOf(() => session.sql`select 1/0`, { code: "22012", fate: "refused" });
        expect(await session.sql`select 1 as n`).toEqual([{ n: 1 }]);
      });
    },
  },
  {
    title: "refuses a statement after its end",
    async run({ db }) {
      let kept: DatabaseSession | undefined;
      await db.session(async (session) => {
        kept = session;
      });
      await failureOf(async () => kept?.query("select 1"), { name: "UsageError", code: "SESSION_OVER", fate: "not-sent" });
    },
  },
  {
    title: "gives the callback's value, and its error",
    async run({ db }) {
      expect(await db.session(async () => 42)).toBe(42);
      await expect(
        db.session(async () => {
          throw new Error("own");
        }),
      ).rejects.toThrow("own");
    },
  },
  {
    title: "runs a script of several statements, with comments and dollar quotes",
    async run({ db }) {
      await db.script(`
        -- two tables, a function
        create table scripted (a int);
        insert into scripted values (1), (2);
        create function scripted_sum() returns int language sql as $body$ select sum(a)::int from scripted; $body$;
      `);
      expect(await onlyValue(db.sql`select scripted_sum()`)).toBe(3);
    },
  },
  {
    title: "undoes a script whose statement fails, as one transaction",
    async run({ db }) {
      const error = await failureOf(() => db.script("insert into ledger values (5003); select 1/0; insert into ledger values (5003)"), {
        name: "DatabaseError",
        code: "22012",
      });
      expect(error).toHaveProperty("routine", "int4div");
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 5003`)).toBe(0);
    },
  },
  {
    title: "runs an empty script",
    async run({ db }) {
      expect(await db.script("")).toBeUndefined();
    },
  },
  {
    title: "runs a script that has transactions of its own",
    async run({ db }) {
      await db.script("begin; insert into ledger values (5004); commit; begin; insert into ledger values (5004); rollback");
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 5004`)).toBe(1);
    },
  },
  {
    title: "refuses a script that is no text",
    async run({ db }) {
      await failureOf(() => db.script(5 as never), { name: "UsageError", code: "INVALID_STATEMENT" });
      await failureOf(() => db.script("select '\0'"), { name: "UsageError", code: "NUL_CHARACTER" });
    },
  },
];

/** Held connections, and scripts. */
export const sessions: Subject = { title: "sessions and scripts", cases };
