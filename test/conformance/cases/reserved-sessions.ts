import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { isWarmlineError } from "../../../src/errors/errors.ts";
import { type Bench, type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const entries = ({ db }: Bench, entry: number) => onlyValue(db.sql`select count(*)::int from ledger where entry = ${entry}`);
const insert = (entry: number) => sql<{ entry: number }>`insert into ledger values (${entry}) returning entry`;
const over = { name: "UsageError", code: "SESSION_OVER", fate: "not-sent" } as const;
const late = { name: "CancelledError", code: "DEADLINE_EXCEEDED" } as const;

/** Until a signal that ends a call was heard. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => {
      setTimeout(resolve);
    });
  });

const cases: readonly Case[] = [
  {
    title: "holds one connection until its scope ends, and says which",
    async run(bench) {
      let kept: AsyncDisposable & { sql: typeof bench.db.sql };
      {
        await using session = await bench.db.session();
        kept = session;
        expect(session.via).toMatchObject({ transport: bench.transport, connectionId: expect.any(String) });
        const first = await onlyValue(session.sql`select pg_backend_pid()`);
        expect(await onlyValue(session.sql`select pg_backend_pid()`)).toBe(first);
        await session.batch([insert(98_000)]);
        await session.transaction((tx) => tx.query(insert(98_000)));
      }
      await failureOf(() => kept.sql`select 1`, over);
      expect(await entries(bench, 98_000)).toBe(2);
    },
  },
  {
    title: "ends once, however often it is released, and refuses every call after that",
    async run({ db }) {
      const session = await db.session();
      await Promise.all([session.release(), session.release()]);
      await session.release();
      await session[Symbol.asyncDispose]();
      await failureOf(() => session.sql`select 1`, over);
      await failureOf(() => session.batch([sql`select 1`]), over);
      await failureOf(() => session.transaction(async () => {}), over);
    },
  },
  {
    title: "gives its connection back when what runs in its scope throws, and hands on what was thrown",
    async run({ open }) {
      const db = open({ max: 1, name: "reserved" });
      const work = async (fail: (session: { sql: typeof db.sql }) => Promise<unknown>) => {
        await using session = await db.session();
        await session.sql`select 1`;
        await fail(session);
      };
      await expect(
        work(async () => {
          throw new Error("own");
        }),
      ).rejects.toThrow("own");
      await failureOf(() => work((session) => session.sql`select 1/0`), { code: "22012", fate: "refused" });
      expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "tells of each statement what became of it, and speaks for no other",
    async run(bench) {
      await using session = await bench.db.session();
      await session.query(insert(98_010));
      await failureOf(() => session.sql`select 1/0`, { code: "22012", fate: "refused" });
      expect(await entries(bench, 98_010)).toBe(1);
    },
  },
  {
    title: "leaves nothing for whoever comes next: settings, and a transaction that was left open",
    async run(bench) {
      const db = bench.open({ max: 1, name: "reserved" });
      {
        await using session = await db.session();
        if (db.plan.capabilities.sessionState) await session.sql`set application_name = 'left behind'`;
        await session.query("begin");
        await session.query(insert(98_020));
      }
      expect(await onlyValue(db.sql`select current_setting('application_name')`)).not.toBe("left behind");
      expect(await entries(bench, 98_020)).toBe(0);
    },
  },
  {
    title: "waits for what was not awaited before it gives its connection back",
    async run(bench) {
      const session = await bench.db.session();
      const sent = session.query(insert(98_030));
      await session.release();
      await sent;
      expect(await entries(bench, 98_030)).toBe(1);
    },
  },
  {
    title: "lets the database be asked beside it, and not around its transaction",
    async run({ db, knowsNesting }) {
      await using session = await db.session();
      expect(await db.sql`select 1 as n`).toEqual([{ n: 1 }]);
      const around = () => session.transaction(() => db.sql`select 1 as n`);
      if (knowsNesting) await failureOf(around, { code: "NESTED_QUERY", fate: "not-sent" });
    },
  },
  {
    title: "says at its release that its deadline ended it, where no call has said so, and once",
    async run(bench) {
      for (const [send, fate] of [
        [false, "not-sent"],
        [true, "unknown"],
      ] as const) {
        const signal = AbortSignal.timeout(700);
        const session = await bench.db.session({ deadlineMs: 350 });
        if (send) await session.query(insert(98_040));
        await aborted(signal);
        await failureOf(() => session.release(), { ...late, fate });
        await session.release();
      }
      expect(await entries(bench, 98_040)).toBe(1);
    },
  },
  {
    title: "says in the next call that its deadline ended it, or its signal, and not at its release again",
    async run({ db }) {
      const timer = AbortSignal.timeout(700);
      const first = await db.session({ deadlineMs: 350 });
      await aborted(timer);
      await failureOf(() => first.sql`select 1`, { ...late, fate: "not-sent" });
      await first.release();
      const controller = new AbortController();
      const second = await db.session({ signal: controller.signal });
      controller.abort();
      await failureOf(() => second.batch([sql`select 1`]), { name: "CancelledError", code: "ABORTED", fate: "not-sent" });
      await second.release();
    },
  },
  {
    title: "ends a statement at its deadline, and has said so then",
    async run({ db }) {
      const body = async () => {
        await using session = await db.session({ deadlineMs: 500 });
        await session.sql`select pg_sleep(600)`;
      };
      await failureOf(body, late);
      const inTransaction = async () => {
        await using session = await db.session({ deadlineMs: 500 });
        await session.transaction((tx) => tx.sql`select pg_sleep(600)`);
      };
      await failureOf(inTransaction, { ...late, fate: "refused" });
    },
  },
  {
    title: "rolls back a transaction of its that was not awaited, and says so at its release",
    async run(bench) {
      const session = await bench.db.session();
      const { promise: goOn, resolve } = Promise.withResolvers<void>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const left = session.transaction(async (tx) => {
        await tx.query(insert(98_050));
        begin();
        await goOn;
      });
      left.catch(() => {});
      await begun;
      await failureOf(() => session.release(), { code: "SESSION_OVER", fate: "refused" });
      resolve();
      await failureOf(() => left, { code: "SESSION_OVER", fate: "refused" });
      expect(await entries(bench, 98_050)).toBe(0);
    },
  },
  {
    title: "refuses options it does not have, and work that is no function, before anything is opened",
    async run({ db }) {
      const invalid = { name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" } as const;
      for (const wrong of [undefined, 5, "work", null, { readOnly: true }, { deadlineMs: -1 }]) {
        await failureOf(() => db.session(wrong as never), invalid);
      }
      await failureOf(() => db.session(undefined as never, {}), invalid);
    },
  },
  {
    title: "cannot be had where a call is refused: inside a transaction, and on a database that is closed",
    async run({ db, open, knowsNesting }) {
      if (knowsNesting) await failureOf(() => db.transaction(() => db.session()), { code: "NESTED_QUERY" });
      const other = open();
      await other.close();
      await failureOf(() => other.session(), { code: "CLOSED", fate: "not-sent" });
    },
  },
  {
    title: "is waited for by close, where calls are",
    async run({ open, transport }) {
      const db = open();
      const session = await db.session();
      await session.sql`select 1`;
      const closing = db.close();
      const first = await Promise.race([closing.then(() => "closed"), session.sql`select 1 as n`]);
      if (transport === "pool") expect(first).toEqual([{ n: 1 }]);
      await session.release();
      await closing;
    },
  },
  {
    title: "says why it could not be opened",
    async run({ db, open, transport }) {
      if (transport !== "pool") return;
      const away = open({ url: "postgres://somebody:secret@127.0.0.1:9/away", deadlineMs: 1_000 });
      const error = await away.session().catch((thrown) => thrown);
      expect(isWarmlineError(error) && error.fate).toBe("not-sent");
      await db.sql`select 1`;
    },
  },
];

/** Sessions that are held without a callback. */
export const reservedSessions: Subject = { title: "sessions held without a callback", cases };
