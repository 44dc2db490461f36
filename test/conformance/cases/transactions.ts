import { expect } from "vitest";
import type { Transaction } from "../../../src/database/transaction.ts";
import { type Bench, type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const count = ({ db }: Bench, entry: number) => onlyValue(db.sql`select count(*)::int from ledger where entry = ${entry}`);

/** Two transactions that cannot both be: the first attempt reads, then another handle writes, then the first writes. */
async function conflict({ db, open }: Bench, id: number, retries?: number): Promise<number> {
  await db.sql`insert into counter values (${id}, 0)`;
  const other = open();
  let runs = 0;
  await db.transaction(
    async (tx) => {
      runs++;
      await tx.sql`select value from counter where id = ${id}`;
      if (runs === 1) await other.sql`update counter set value = value + 10 where id = ${id}`;
      await tx.sql`update counter set value = value + 1 where id = ${id}`;
    },
    { isolation: "repeatable read", retries },
  );
  return runs;
}

const cases: readonly Case[] = [
  {
    title: "keeps what was done when the callback resolves, and gives its value",
    async run(bench) {
      const value = await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (${4001})`;
        const { rows, rowCount, command } = await tx.query("insert into ledger values ($1) returning entry", [4001]);
        return { rows, rowCount, command };
      });
      expect(value).toEqual({ rows: [{ entry: 4001 }], rowCount: 1, command: "INSERT" });
      expect(await count(bench, 4001)).toBe(2);
    },
  },
  {
    title: "undoes what was done when the callback throws, and gives its error",
    async run(bench) {
      const own = new Error("mine");
      const work = bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4002)`;
        throw own;
      });
      await expect(work).rejects.toBe(own);
      expect(await count(bench, 4002)).toBe(0);
    },
  },
  {
    title: "undoes what was done when a statement fails",
    async run(bench) {
      const work = () =>
        bench.db.transaction(async (tx) => {
          await tx.sql`insert into ledger values (4003)`;
          await tx.sql`select 1/0`;
        });
      await failureOf(work, { name: "DatabaseError", code: "22012", fate: "refused" });
      expect(await count(bench, 4003)).toBe(0);
    },
  },
  {
    title: "says so when a failure inside was swallowed and COMMIT became ROLLBACK",
    async run(bench) {
      const work = () =>
        bench.db.transaction(async (tx) => {
          await tx.sql`insert into ledger values (4004)`;
          await tx.sql`select 1/0`.catch(() => {});
        });
      await failureOf(work, { name: "TransactionError", code: "TRANSACTION_FAILED", fate: "refused" });
      expect(await count(bench, 4004)).toBe(0);
    },
  },
  {
    title: "refuses further statements after one failed",
    async run({ db }) {
      const work = () =>
        db.transaction(async (tx) => {
          await tx.sql`select 1/0`.catch(() => {});
          await tx.sql`select 1`;
        });
      await failureOf(work, { code: "25P02", fate: "refused" });
    },
  },
  {
    title: "costs nothing when the callback sends nothing",
    async run({ db }) {
      expect(await db.transaction(async () => "value")).toBe("value");
    },
  },
  {
    title: "tells a deferred constraint that fails at COMMIT",
    async run(bench) {
      const work = () =>
        bench.db.transaction(async (tx) => {
          await tx.sql`set constraints all deferred`;
          await tx.sql`insert into ledger values (4005)`;
          await tx.sql`insert into person values (41, 'Late', 1, 999)`;
        });
      const error = await failureOf(work, { name: "DatabaseError", code: "23503", fate: "refused" });
      expect(error).toHaveProperty("constraint", "person_boss_reference");
      expect(await count(bench, 4005)).toBe(0);
    },
  },
  {
    title: "hides what it did from others until it is over",
    async run(bench) {
      const other = bench.open();
      const seen = () => onlyValue(other.sql`select count(*)::int from ledger where entry = 4006`);
      await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4006)`;
        expect(await seen()).toBe(0);
      });
      expect(await seen()).toBe(1);
    },
  },
  {
    title: "holds one connection from beginning to end",
    async run({ db }) {
      const [pids, ways] = await db.transaction(async (tx) => {
        const results = [await tx.query("select pg_backend_pid() as pid"), await tx.query("select pg_backend_pid() as pid")];
        return [results.map(({ rows }) => rows[0]?.pid), results.map(({ via }) => via.connectionId)];
      });
      expect(new Set(pids).size).toBe(1);
      expect(new Set(ways).size).toBe(1);
      expect(ways[0]).toEqual(expect.any(String));
    },
  },
  {
    title: "runs statements that were not awaited one by one in their order",
    async run({ db }) {
      const results = await db.transaction((tx) => Promise.all([1, 2, 3].map((n) => tx.sql`select ${n}::int as n`)));
      expect(results).toEqual([[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]]);
    },
  },
  {
    title: "finishes a statement the callback did not wait for before COMMIT",
    async run(bench) {
      let late: Promise<unknown> | undefined;
      await bench.db.transaction(async (tx) => {
        late = tx.sql`insert into ledger values (4007)`;
      });
      await late;
      expect(await count(bench, 4007)).toBe(1);
    },
  },
  {
    title: "refuses a statement after its end",
    async run({ db }) {
      let kept: Transaction | undefined;
      await db.transaction(async (tx) => {
        kept = tx;
      });
      await failureOf(async () => kept?.query("select 1"), { name: "UsageError", code: "TRANSACTION_OVER", fate: "not-sent" });
      await failureOf(async () => kept?.transaction(async () => {}), { name: "UsageError", code: "TRANSACTION_OVER" });
    },
  },
  ...["begin", "commit", "rollback", "savepoint x", "release x"].map(
    (text): Case => ({
      title: `refuses ${text} inside`,
      async run({ db }) {
        const work = () => db.transaction((tx) => tx.query(text));
        await failureOf(work, { name: "UsageError", code: "TRANSACTION_CONTROL", fate: "not-sent" });
      },
    }),
  ),
  ...(["read uncommitted", "read committed", "repeatable read", "serializable"] as const).map(
    (isolation): Case => ({
      title: `runs at ${isolation}`,
      async run({ db }) {
        const seen = await db.transaction((tx) => onlyValue(tx.sql`select current_setting('transaction_isolation')`), { isolation });
        expect(seen).toBe(isolation);
      },
    }),
  ),
  {
    title: "runs read-only, and lets nothing be written",
    async run({ db }) {
      const work = () => db.transaction((tx) => tx.sql`insert into ledger values (4008)`, { readOnly: true });
      await failureOf(work, { name: "DatabaseError", code: "25006", fate: "refused" });
    },
  },
  {
    title: "runs deferrable",
    async run({ db }) {
      const options = { isolation: "serializable", readOnly: true, deferrable: true } as const;
      expect(await db.transaction((tx) => onlyValue(tx.sql`select current_setting('transaction_deferrable')`), options)).toBe("on");
    },
  },
  {
    title: "keeps a savepoint's work with the outer transaction's",
    async run(bench) {
      const value = await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4009)`;
        return tx.transaction(async (inner) => {
          await inner.sql`insert into ledger values (4009)`;
          return "inner value";
        });
      });
      expect(value).toBe("inner value");
      expect(await count(bench, 4009)).toBe(2);
    },
  },
  {
    title: "undoes a savepoint's work alone, and goes on",
    async run(bench) {
      await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4010)`;
        const inner = tx.transaction(async (deeper) => {
          await deeper.sql`insert into ledger values (4010)`;
          throw new Error("undo this");
        });
        await expect(inner).rejects.toThrow("undo this");
        await tx.sql`insert into ledger values (4010)`;
      });
      expect(await count(bench, 4010)).toBe(2);
    },
  },
  {
    title: "goes on after a statement failed in a savepoint",
    async run(bench) {
      await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4011)`;
        await failureOf(() => tx.transaction((inner) => inner.sql`select 1/0`), { code: "22012", fate: "refused" });
        await tx.sql`insert into ledger values (4011)`;
      });
      expect(await count(bench, 4011)).toBe(2);
    },
  },
  {
    title: "nests savepoints, and undoes each by itself",
    async run(bench) {
      await bench.db.transaction(async (tx) => {
        await tx.transaction(async (second) => {
          await second.sql`insert into ledger values (4012)`;
          await second
            .transaction(async (third) => {
              await third.sql`insert into ledger values (4012)`;
              await third.transaction((fourth) => fourth.sql`insert into ledger values (4012)`);
              throw new Error("third");
            })
            .catch(() => {});
          await second.transaction((third) => third.sql`insert into ledger values (4012)`);
        });
      });
      expect(await count(bench, 4012)).toBe(2);
    },
  },
  {
    title: "goes on after a statement that nobody awaited failed in a savepoint within a savepoint",
    async run(bench) {
      await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4049)`;
        const inner = tx.transaction(async (second) => {
          await second.sql`insert into ledger values (4049)`;
          await second.transaction(async (third) => void third.sql`select 1/0`.catch(() => {}));
          throw new Error("second");
        });
        await expect(inner).rejects.toThrow("second");
        await tx.sql`insert into ledger values (4049)`;
      });
      expect(await count(bench, 4049)).toBe(2);
    },
  },
  {
    title: "undoes savepoints with the outer transaction",
    async run(bench) {
      const work = bench.db.transaction(async (tx) => {
        await tx.transaction((inner) => inner.sql`insert into ledger values (4013)`);
        throw new Error("all of it");
      });
      await expect(work).rejects.toThrow("all of it");
      expect(await count(bench, 4013)).toBe(0);
    },
  },
  {
    title: "refuses the outer transaction's statements while a savepoint is open",
    async run({ db }) {
      const work = () => db.transaction((tx) => tx.transaction(() => tx.sql`select 1`));
      await failureOf(work, { name: "UsageError", code: "NESTED_QUERY", fate: "not-sent" });
    },
  },
  {
    title: "says so when a failure in a savepoint was swallowed",
    async run(bench) {
      await bench.db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (4014)`;
        const inner = () => tx.transaction((deeper) => deeper.sql`select 1/0`.catch(() => {}));
        await failureOf(inner, { code: "TRANSACTION_FAILED", fate: "refused" });
      });
      expect(await count(bench, 4014)).toBe(1);
    },
  },
  {
    title: "gives a conflict to the caller, and keeps the other's work",
    async run(bench) {
      await failureOf(() => conflict(bench, 1), { name: "DatabaseError", code: "40001", fate: "refused", retryable: true });
      expect(await onlyValue(bench.db.sql`select value from counter where id = 1`)).toBe(10);
    },
  },
  {
    title: "runs the callback again after a conflict, as often as asked",
    async run(bench) {
      expect(await conflict(bench, 2, 1)).toBe(2);
      expect(await onlyValue(bench.db.sql`select value from counter where id = 2`)).toBe(11);
    },
  },
  {
    title: "does not run the callback again for errors of its own",
    async run({ db }) {
      let runs = 0;
      const work = db.transaction(
        async (tx) => {
          runs++;
          await tx.sql`select 1`;
          throw new Error("own");
        },
        { retries: 3 },
      );
      await expect(work).rejects.toThrow("own");
      expect(runs).toBe(1);
    },
  },
  {
    title: "refuses a query around the transaction, where the runtime can tell",
    async run({ db, knowsNesting }) {
      const around = () => db.transaction(() => db.sql`select 1 as n`);
      if (knowsNesting) await failureOf(around, { name: "UsageError", code: "NESTED_QUERY", fate: "not-sent" });
      else expect(await around()).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "lets another database be asked from inside",
    async run({ db, open }) {
      const other = open();
      expect(await db.transaction(() => other.sql`select 1 as n`)).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "refuses options it does not have",
    async run({ db }) {
      const work = async () => {};
      await failureOf(() => db.transaction(work, { isolation: "snapshot" as never }), { name: "UsageError", code: "INVALID_OPTION" });
      await failureOf(() => db.transaction(work, { retry: 3 } as never), { code: "INVALID_OPTION" });
      await failureOf(() => db.transaction(work, { retries: -1 }), { code: "INVALID_OPTION" });
      await failureOf(() => db.transaction((tx) => tx.query("select 1", [], { deadlineMs: 5 } as never)), { code: "INVALID_OPTION" });
    },
  },
  {
    title: "runs several at once",
    async run({ db }) {
      const values = await Promise.all([1, 2, 3, 4].map((n) => db.transaction((tx) => onlyValue(tx.sql`select ${n}::int`))));
      expect(values).toEqual([1, 2, 3, 4]);
    },
  },
  {
    title: "gives rows as arrays by rowMode",
    async run({ db }) {
      expect((await db.transaction((tx) => tx.query("select 1 as a, 2 as a", [], { rowMode: "array" }))).rows).toEqual([[1, 2]]);
    },
  },
  {
    title: "lets no setting leak out of it",
    async run({ db }) {
      await db.transaction((tx) => tx.sql`set local work_mem = '321kB'`);
      expect(await onlyValue(db.sql`select current_setting('work_mem') = '321kB'`)).toBe(false);
    },
  },
];

/** Interactive transactions and savepoints. */
export const transactions: Subject = { title: "transactions", cases };
