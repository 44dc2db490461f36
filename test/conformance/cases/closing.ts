import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { type Bench, type Case, failureOf, type Subject } from "../case.ts";

/** Far longer than any case may take: what waits for itself ends with it, and fails. */
const DEADLINE_MS = 60_000;

const holding = {
  transaction: (db: Database, work: (held: Pick<Database, "sql">) => Promise<unknown>) => db.transaction(work),
  session: (db: Database, work: (held: Pick<Database, "sql">) => Promise<unknown>) => db.session(work),
} as const;

/** Only a runtime that has AsyncLocalStorage can tell a callback from what is outside. */
const telling =
  (run: (bench: Bench) => Promise<void>): Case["run"] =>
  async (bench) => {
    if (bench.knowsNesting) await run(bench);
  };

/** The connections to an endpoint belong to the process. */
function expectNothingLeft(db: Database): void {
  expect(db.stats()).toMatchObject({ running: 0, ...(db.plan.transport !== "http" && { total: 0 }) });
}

const closed = { name: "UsageError", code: "CLOSED", fate: "not-sent" } as const;

const cases: readonly Case[] = [
  ...Object.entries(holding).flatMap(([kind, hold]): Case[] => [
    {
      title: `closes inside a ${kind} of its own without waiting for it, which goes on to its end`,
      run: telling(async ({ open, mark }) => {
        const db = open({ name: `${mark} closed inside a ${kind}`, max: 1, deadlineMs: DEADLINE_MS });
        const rows = await hold(db, async (held) => {
          await held.sql`select 1`;
          await db.close();
          await failureOf(() => db.sql`select 1`, closed);
          return held.sql`select 2 as n`;
        });
        expect(rows).toEqual([{ n: 2 }]);
        // outside it waits for what is left
        await db.close();
        expectNothingLeft(db);
      }),
    },
    {
      title: `releases inside a ${kind} of its own, also while a warm-up waits for its connection`,
      run: telling(async ({ open, mark }) => {
        const db = open({ name: `${mark} released inside a ${kind}`, max: 1, deadlineMs: DEADLINE_MS, acquireTimeoutMs: DEADLINE_MS });
        const begun = Promise.withResolvers<void>();
        const asked = Promise.withResolvers<void>();
        const held = hold(db, async (inside) => {
          await inside.sql`select 1`;
          begun.resolve();
          await asked.promise;
          await db.release();
          return inside.sql`select 2 as n`;
        });
        await begun.promise;
        const warming = db.warmUp();
        asked.resolve();
        expect(await held).toEqual([{ n: 2 }]);
        await warming;
        await db.close();
      }),
    },
  ]),
  {
    title: "waits, outside of a callback, for one in which it was closed before",
    run: telling(async ({ open, mark }) => {
      const db = open({ name: `${mark} closed inside and outside`, max: 1, deadlineMs: DEADLINE_MS });
      const closedInside = Promise.withResolvers<void>();
      const order: string[] = [];
      const ended = db
        .transaction(async (tx) => {
          await db.close();
          closedInside.resolve();
          await tx.sql`select pg_sleep(0.1)`;
        })
        .then(() => void order.push("callback"));
      await closedInside.promise;
      await db.close().then(() => void order.push("close"));
      await ended;
      // where connections belong to requests it waits for no call
      if (db.plan.traits.ioScope !== "request") expect(order).toEqual(["callback", "close"]);
    }),
  },
  {
    title: "closes for what a callback left behind as anywhere, once the callback is over",
    run: telling(async ({ open, mark }) => {
      const db = open({ name: `${mark} closed later`, max: 1, deadlineMs: DEADLINE_MS });
      const over = Promise.withResolvers<void>();
      let later: Promise<void> | undefined;
      await db.transaction(async (tx) => {
        later = over.promise.then(() => db.close());
        await tx.sql`select 1`;
      });
      over.resolve();
      await later;
      await failureOf(() => db.sql`select 1`, closed);
      expectNothingLeft(db);
    }),
  },
  {
    title: "closes inside a callback of another database, and waits for its own calls",
    run: telling(async ({ db, open, mark }) => {
      const other = open({ name: `${mark} closed inside another`, deadlineMs: DEADLINE_MS });
      await db.transaction(async (tx) => {
        await tx.sql`select 1`;
        const running = other.sql`select pg_sleep(0.1)::text as slept, 1 as n`;
        await other.close();
        expect(await running).toEqual([{ slept: "", n: 1 }]);
      });
    }),
  },
];

/** `close` and `release`, wherever they are called. */
export const closing: Subject = { title: "closing", cases };
