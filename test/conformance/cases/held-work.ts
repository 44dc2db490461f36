import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import type { DatabaseSession } from "../../../src/database/session.ts";
import { sql } from "../../../src/database/sql.ts";
import type { Transaction } from "../../../src/database/transaction.ts";
import type { DatabaseError } from "../../../src/errors/database-error.ts";
import { type Bench, type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const entries = (db: Database, entry: number) => onlyValue(db.sql`select count(*)::int from ledger where entry = ${entry}`);
const insert = (entry: number) => sql<{ entry: number }>`insert into ledger values (${entry}) returning entry`;
const modes = sql<{ isolation: string; readonly: string }>`
  select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as readonly`;

/** What takes several statements at once on a connection that is held. */
const holders: readonly {
  readonly name: string;
  readonly hold: <T>(db: Database, use: (held: Transaction | DatabaseSession) => Promise<T>) => Promise<T>;
}[] = [
  { name: "a transaction", hold: (db, use) => db.transaction(use) },
  { name: "a session", hold: (db, use) => db.session(use) },
  { name: "a transaction of a session", hold: (db, use) => db.session((session) => session.transaction(use)) },
  { name: "a savepoint", hold: (db, use) => db.transaction((tx) => tx.transaction(use)) },
];

const batching: readonly Case[] = holders.flatMap(({ name, hold }, index): Case[] => {
  const own = 97000 + 10 * index;
  return [
    {
      title: `gives a result for each statement of a batch in ${name}, in order and typed`,
      async run({ db }) {
        const [first, second, third] = await hold(db, (held) =>
          held.batch([sql<{ n: number }>`select ${1}::int as n`, sql<{ word: string }>`select ${"two"}::text as word`, insert(own)]),
        );
        const number: number | undefined = first.rows[0]?.n;
        const word: string | undefined = second.rows[0]?.word;
        expect([number, word]).toEqual([1, "two"]);
        expect(third).toMatchObject({ rows: [{ entry: own }], rowCount: 1, command: "INSERT" });
        expect(await entries(db, own)).toBe(1);
      },
    },
    {
      title: `gives rows as arrays in a batch in ${name}, and nothing for no statements`,
      async run({ db }) {
        await hold(db, async (held) => {
          const [{ rows }] = await held.batch([sql`select 1 as a, 2 as a`], { rowMode: "array" });
          expect(rows).toEqual([[1, 2]]);
          expect(await held.batch([])).toEqual([]);
        });
      },
    },
    {
      title: `tells which statement of a batch in ${name} failed, and keeps nothing of the batch`,
      async run({ db }) {
        const work = () => hold(db, (held) => held.batch([insert(own + 1), sql`select 1/0`, insert(own + 1)]));
        const error = await failureOf(work, { name: "DatabaseError", code: "22012", fate: "refused" });
        expect((error as DatabaseError).statementIndex).toBe(1);
        expect(await entries(db, own + 1)).toBe(0);
      },
    },
    {
      title: `refuses in a batch in ${name} what controls a transaction, and sends nothing`,
      async run({ db }) {
        await hold(db, async (held) => {
          for (const control of [sql`commit`, sql`rollback`, sql`savepoint a`]) {
            await failureOf(() => held.batch([insert(own + 2), control]), { code: "TRANSACTION_CONTROL", fate: "not-sent" });
          }
          await failureOf(() => held.batch([sql`listen news`]), { code: "NOT_DELIVERED", fate: "not-sent" });
          await failureOf(() => held.batch("select 1" as never), { code: "INVALID_STATEMENT", fate: "not-sent" });
          await failureOf(() => held.batch([sql`select 1`], { idempotent: true } as never), { code: "INVALID_OPTION", fate: "not-sent" });
        });
        expect(await entries(db, own + 2)).toBe(0);
      },
    },
  ];
});

const inTransactions: readonly Case[] = [
  {
    title: "fails the transaction by a batch in it, and goes on behind a savepoint",
    async run({ db }) {
      const swallowed = () =>
        db.transaction(async (tx) => {
          await tx.batch([insert(97100), sql`select 1/0`]).catch(() => {});
        });
      await failureOf(swallowed, { code: "TRANSACTION_FAILED", fate: "refused" });
      await db.transaction(async (tx) => {
        await tx.batch([insert(97101), insert(97101)]);
        await tx.transaction((inner) => inner.batch([insert(97101), sql`select 1/0`])).catch(() => {});
        await tx.batch([insert(97101)]);
      });
      expect([await entries(db, 97100), await entries(db, 97101)]).toEqual([0, 3]);
    },
  },
  {
    title: "refuses a batch of a transaction while a savepoint is open, and when it is over",
    async run({ db }) {
      let kept: Transaction | undefined;
      await db.transaction(async (tx) => {
        kept = tx;
        await tx.transaction(() => failureOf(() => tx.batch([insert(97110)]), { code: "NESTED_QUERY", fate: "not-sent" }));
      });
      await failureOf(async () => kept?.batch([insert(97110)]), { code: "TRANSACTION_OVER", fate: "not-sent" });
      expect(await entries(db, 97110)).toBe(0);
    },
  },
];

const inSessions: readonly Case[] = [
  {
    title: "runs a batch of a session with its modes",
    async run({ db }) {
      await db.session(async (session) => {
        const [result] = await session.batch([modes], { isolation: "serializable", readOnly: true });
        expect(result.rows).toEqual([{ isolation: "serializable", readonly: "on" }]);
        await failureOf(() => session.batch([insert(97200)], { readOnly: true }), { code: "25006", fate: "refused" });
        expect(await session.batch([insert(97201)])).toMatchObject([{ rows: [{ entry: 97201 }] }]);
      });
      expect([await entries(db, 97200), await entries(db, 97201)]).toEqual([0, 1]);
    },
  },
  {
    title: "runs a batch of a session inside the transaction that the caller's own BEGIN opened, and refuses modes there",
    async run({ db }) {
      await db.session(async (session) => {
        await session.query("begin");
        await session.batch([insert(97210), insert(97210)]);
        await failureOf(() => session.batch([insert(97210)], { readOnly: false }), { code: "TRANSACTION_CONTROL", fate: "not-sent" });
        expect((await session.query("rollback")).command).toBe("ROLLBACK");
        await session.query("begin");
        await failureOf(() => session.batch([insert(97210), sql`select 1/0`]), { code: "22012", fate: "refused" });
        await failureOf(() => session.batch([insert(97210)]), { code: "25P02", fate: "refused" });
        await session.query("rollback");
        await session.batch([insert(97211)]);
      });
      expect([await entries(db, 97210), await entries(db, 97211)]).toEqual([0, 1]);
    },
  },
  {
    title: "runs what is called while a batch of a session is on its way behind it, whether it fails or not",
    async run({ db }) {
      await db.session(async (session) => {
        const sent = [
          session.batch([insert(97215), sql`select 1/0`]),
          session.query(insert(97216)),
          session.batch([insert(97216)]),
          session.batch([sql`select 1/0`]),
          session.transaction((tx) => tx.query(insert(97216))),
        ];
        expect((await Promise.allSettled(sent)).map(({ status }) => status === "fulfilled")).toEqual([false, true, true, false, true]);
      });
      expect([await entries(db, 97215), await entries(db, 97216)]).toEqual([0, 3]);
    },
  },
  {
    title: "runs transactions of a session one after the other, each with its modes, and goes on",
    async run({ db }) {
      await db.session(async (session) => {
        const pid = () => onlyValue(session.sql`select pg_backend_pid()`);
        const before = await pid();
        const inside = await session.transaction(async (tx) => (await tx.query(modes)).rows, {
          isolation: "repeatable read",
          readOnly: true,
        });
        expect(inside).toEqual([{ isolation: "repeatable read", readonly: "on" }]);
        const own = async (tx: Transaction) => {
          await tx.query(insert(97220));
          throw new Error("own");
        };
        await expect(session.transaction(own)).rejects.toThrow("own");
        await session.transaction(async (tx) => {
          await tx.query(insert(97221));
          await tx.transaction((inner) => inner.query(insert(97221)));
          await tx.transaction(own).catch(() => {});
        });
        expect(await pid()).toBe(before);
      });
      expect([await entries(db, 97220), await entries(db, 97221)]).toEqual([0, 2]);
    },
  },
  {
    title: "goes on behind a transaction of a session that failed: at a statement, at COMMIT, and in a READ ONLY one",
    async run({ db }) {
      await db.session(async (session) => {
        await failureOf(() => session.transaction((tx) => tx.sql`select 1/0`), { code: "22012", fate: "refused" });
        const late = () =>
          session.transaction(async (tx) => {
            await tx.sql`set constraints all deferred`;
            await tx.sql`insert into person values (731, 'Late', 1, 999)`;
          });
        await failureOf(late, { code: "23503", fate: "refused" });
        await failureOf(() => session.transaction((tx) => tx.query(insert(97230)), { readOnly: true }), { code: "25006", fate: "refused" });
        await failureOf(() => session.transaction((tx) => tx.sql`select 1/0`.catch(() => {})), {
          code: "TRANSACTION_FAILED",
          fate: "refused",
        });
        expect(await session.transaction(async () => "nothing sent")).toBe("nothing sent");
        await session.query(insert(97231));
      });
      expect([await entries(db, 97230), await entries(db, 97231)]).toEqual([0, 1]);
    },
  },
  {
    title: "refuses calls on a session while a transaction of it is open",
    async run({ db }) {
      const refused = { name: "UsageError", code: "NESTED_QUERY", fate: "not-sent" } as const;
      await db.session(async (session) => {
        await session.transaction(async (tx) => {
          await tx.query(insert(97240));
          await failureOf(() => session.query(insert(97240)), refused);
          await failureOf(() => session.batch([insert(97240)]), refused);
          await failureOf(() => session.transaction(async () => {}), refused);
        });
        await session.query(insert(97240));
      });
      expect(await entries(db, 97240)).toBe(2);
    },
  },
  {
    title: "refuses the database inside a transaction of a session, and says what to use",
    async run({ db, knowsNesting }) {
      if (!knowsNesting) return;
      await db.session((session) =>
        session.transaction(async () => {
          const { message } = await failureOf(() => db.sql`select 1`, { code: "NESTED_QUERY", fate: "not-sent" });
          expect(message).toContain("Use tx.");
        }),
      );
    },
  },
  {
    title: "refuses a transaction of a session where one is open, or nobody knows yet",
    async run({ db }) {
      const refused = { name: "UsageError", code: "TRANSACTION_CONTROL", fate: "not-sent" } as const;
      await db.session(async (session) => {
        const begun = session.query("begin");
        await failureOf(() => session.transaction((tx) => tx.query(insert(97250))), refused);
        await failureOf(() => session.batch([insert(97250)]), refused);
        await begun;
        await failureOf(() => session.transaction((tx) => tx.query(insert(97250))), refused);
        await session.query("rollback");
        await session.transaction((tx) => tx.query(insert(97251)));
      });
      expect([await entries(db, 97250), await entries(db, 97251)]).toEqual([0, 1]);
    },
  },
  {
    title: "sends nothing by itself of a transaction by hand whose beginning is refused, and all that stands outside of it",
    async run({ db }) {
      const over = { status: "rejected", reason: { code: "TRANSACTION_OVER", fate: "not-sent" } };
      const done = { status: "fulfilled" };
      const refused = (code: string) => ({ status: "rejected", reason: { code, fate: "refused" } });
      const atOnce = async (session: DatabaseSession, texts: readonly string[]) =>
        Promise.allSettled(texts.map((text) => session.query(text)));
      const add = (entry: number) => `insert into ledger values (${entry})`;
      await db.session(async (session) => {
        for (const beginning of [
          "begin isolation level none",
          "start transaction, begin",
          "begin; select 1",
          "commit and chain",
          "rollback and chain",
        ]) {
          const whole = [
            beginning,
            add(97252),
            "savepoint a",
            add(97252),
            "rollback to a",
            "commit",
            add(97253),
            "begin",
            add(97254),
            "commit",
          ];
          const code = beginning.endsWith("chain") ? "25P01" : "42601";
          expect(await atOnce(session, whole)).toMatchObject([refused(code), over, over, over, over, over, done, done, done, done]);
        }
        const misspelt = session.query("begin", [], { retries: 1 } as never);
        expect(await Promise.allSettled([misspelt, session.query(add(97252)), session.query("commit")])).toMatchObject([
          { status: "rejected", reason: { code: "INVALID_OPTION", fate: "not-sent" } },
          over,
          over,
        ]);
        await session.query("begin");
        const late = ["set constraints all deferred", "insert into person values (732, 'Late', 1, 999)", "commit and chain"];
        expect(await atOnce(session, [...late, add(97252), "commit", add(97255)])).toMatchObject([
          done,
          done,
          refused("23503"),
          over,
          over,
          done,
        ]);
        expect(await atOnce(session, ["rollback", add(97256)])).toMatchObject([done, done]);
      });
      expect(await Promise.all([97252, 97253, 97254, 97255, 97256].map((entry) => entries(db, entry)))).toEqual([0, 5, 5, 1, 1]);
    },
  },
  {
    title: "refuses options a transaction of a session does not have",
    async run({ db }) {
      await db.session(async (session) => {
        const invalid = { name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" } as const;
        for (const options of [{ retries: 1 }, { deadlineMs: 1 }, { signal: new AbortController().signal }, { isolation: "snapshot" }]) {
          await failureOf(() => session.transaction(async () => {}, options as never), invalid);
        }
        await failureOf(() => session.transaction(5 as never), invalid);
      });
    },
  },
  {
    title: "says so when a transaction of a session was not awaited, and keeps nothing of it",
    async run({ db }) {
      const { promise: goOn, resolve } = Promise.withResolvers<void>();
      let left: Promise<unknown> | undefined;
      const work = () =>
        db.session(async (session) => {
          const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
          left = session.transaction(async (tx) => {
            await tx.query(insert(97260));
            begin();
            await goOn;
            await tx.query(insert(97260));
          });
          left.catch(() => {});
          await begun;
        });
      await failureOf(work, { name: "UsageError", code: "SESSION_OVER", fate: "refused" });
      await db.batch([insert(97261)]);
      resolve();
      await failureOf(async () => left, { code: "SESSION_OVER", fate: "refused" });
      expect([await entries(db, 97260), await entries(db, 97261)]).toEqual([0, 1]);
    },
  },
  {
    title: "ends a transaction of a session at the deadline of the whole, while nothing is on its way",
    async run({ db }) {
      const never = (tx: Transaction) => tx.query(insert(97270)).then(() => new Promise(() => {}));
      const work = () => db.session((session) => session.transaction(never), { deadlineMs: 400 });
      await failureOf(work, { name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "refused" });
      expect(await entries(db, 97270)).toBe(0);
    },
  },
];

/** What a session rejects with when this was done in it and then something else failed. */
const told: readonly (readonly [title: string, fate: "refused" | "unknown", work: (session: DatabaseSession) => Promise<unknown>])[] = [
  ["a batch that stays", "unknown", (session) => session.batch([insert(97300)])],
  ["a batch that was refused", "refused", (session) => session.batch([insert(97300), sql`select 1/0`]).catch(() => {})],
  ["a transaction that stays", "unknown", (session) => session.transaction((tx) => tx.query(insert(97300)))],
  [
    "a transaction that was rolled back",
    "refused",
    (session) => session.transaction((tx) => tx.batch([insert(97300), sql`select 1/0`])).catch(() => {}),
  ],
  [
    "a transaction that sent nothing, behind what was refused",
    "refused",
    async (session) => {
      await session.sql`select 1/0`.catch(() => {});
      await session.transaction(async () => {});
    },
  ],
];

const speaking: readonly Case[] = told.map(
  ([title, fate, work]): Case => ({
    title: `speaks for ${title}: ${fate}`,
    async run({ db }: Bench) {
      const whole = () =>
        db.session(async (session) => {
          await work(session);
          await session.sql`select 1/0`;
        });
      await failureOf(whole, { name: "DatabaseError", code: "22012", fate });
    },
  }),
);

/** Batches in transactions and sessions, and transactions in sessions. */
export const heldWork: Subject = {
  title: "batches and transactions on a held connection",
  cases: [...batching, ...inTransactions, ...inSessions, ...speaking],
};
