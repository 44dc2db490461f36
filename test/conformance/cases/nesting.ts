import { expect } from "vitest";
import type { Database } from "../../../src/database/database.ts";
import { sql } from "../../../src/database/sql.ts";
import { ConnectionError } from "../../../src/errors/errors.ts";
import { type Bench, type Case, failureOf, type Subject } from "../case.ts";

/** What holds a connection while a callback runs, and what the callback's queries go through. */
const holding = {
  transaction: { handle: "tx", hold: <T>(db: Database, work: () => Promise<T>) => db.transaction(work) },
  session: { handle: "session", hold: <T>(db: Database, work: () => Promise<T>) => db.session(work) },
} as const;

const kinds = Object.entries(holding);

/** Every way to ask a database itself. */
const calls: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  sql: (db) => db.sql`select 1`,
  query: (db) => db.query("select 1"),
  batch: (db) => db.batch([sql`select 1`]),
  transaction: (db) => db.transaction((tx) => tx.sql`select 1`),
  session: (db) => db.session((session) => session.sql`select 1`),
  script: (db) => db.script("select 1"),
  warmUp: (db) => db.warmUp(),
};

const refused = { name: "UsageError", code: "NESTED_QUERY", fate: "not-sent", retryable: false } as const;

/** What is begun inside a callback and goes on when it is told to, as a timer or a promise that is kept. */
function later<T>(work: () => Promise<T>): { readonly goOn: () => Promise<T> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const begun = promise.then(work);
  begun.catch(() => {});
  return {
    goOn() {
      resolve();
      return begun;
    },
  };
}

/** Only a runtime that has AsyncLocalStorage can tell. */
const telling =
  (run: (bench: Bench) => Promise<void>): Case["run"] =>
  async (bench) => {
    if (bench.knowsNesting) await run(bench);
  };

const nesting: readonly Case[] = [
  ...kinds.flatMap(([kind, { handle, hold }]) => [
    ...Object.entries(calls).map(
      ([name, call]): Case => ({
        title: `refuses ${name} on the database inside a ${kind} of it, and says what to use`,
        run: telling(async ({ db }) => {
          await hold(db, async () => {
            const { message } = await failureOf(() => call(db), refused);
            expect(message).toBe(`This call goes around its ${kind}. Use ${handle}.`);
          });
          await call(db);
        }),
      }),
    ),
    {
      title: `lets what was begun inside a ${kind} ask the database once it is over`,
      run: telling(async ({ db }) => {
        const kept: ReturnType<typeof later>[] = [];
        const begin = async () => void kept.push(later(() => db.sql`select 1`));
        const fail = async () => {
          await begin();
          throw new Error("own");
        };
        await hold(db, async () => {
          await begin();
          const early = later(() => db.sql`select 1`);
          await failureOf(early.goOn, refused);
        });
        await expect(hold(db, fail)).rejects.toThrow("own");
        for (const { goOn } of kept) expect(await goOn()).toHaveLength(1);
        expect(kept).toHaveLength(2);
      }),
    },
    {
      title: `lets what a ${kind} left behind at its deadline ask the database`,
      run: telling(async ({ db }) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        let rest: Promise<unknown> | undefined;
        const work = () => {
          rest = promise.then(() => db.sql`select 1`);
          return promise;
        };
        const call = kind === "session" ? db.session(work, { deadlineMs: 300 }) : db.transaction(work, { deadlineMs: 300 });
        await failureOf(() => call, { code: "DEADLINE_EXCEEDED" });
        resolve();
        expect(await rest).toHaveLength(1);
      }),
    },
  ]),
  {
    title: "refuses it in every run of a transaction, and lets go of each by itself",
    run: telling(async ({ db }) => {
      const kept: ReturnType<typeof later>[] = [];
      const work = db.transaction(
        async (tx) => {
          await failureOf(() => db.sql`select 1`, refused);
          kept.push(later(() => db.sql`select 1`));
          // the first run is over, the second is not
          if (kept.length > 1) expect(await kept[0]?.goOn()).toHaveLength(1);
          else await tx.sql`select fail_with('40001')`;
        },
        { retries: 1 },
      );
      await work;
      expect(await kept[1]?.goOn()).toHaveLength(1);
    }),
  },
  {
    title: "refuses it in a savepoint, and until its transaction is over",
    run: telling(async ({ db }) => {
      const kept = await db.transaction(async (tx) => {
        const early = await tx.transaction(async (inner) => {
          await inner.sql`select 1`;
          await failureOf(() => db.sql`select 1`, refused);
          return [later(() => db.sql`select 1`), later(() => db.sql`select 1`)] as const;
        });
        await failureOf(early[0].goOn, refused);
        return early[1];
      });
      expect(await kept.goOn()).toHaveLength(1);
    }),
  },
  ...kinds.flatMap(([outerKind, outer]) =>
    kinds.map(
      ([innerKind, inner]): Case => ({
        title: `tells two databases apart, a ${innerKind} of one inside a ${outerKind} of the other`,
        run: telling(async ({ db, open }) => {
          const other = open();
          for (const [first, second] of [[db, other] as const, [other, db] as const]) {
            const kept = await outer.hold(first, async () => {
              const left = await inner.hold(second, async () => {
                await failureOf(() => first.sql`select 1`, refused);
                await failureOf(() => second.sql`select 1`, refused);
                return { inner: later(() => second.sql`select 1`), outer: [0, 1].map(() => later(() => first.sql`select 1`)) };
              });
              expect(await left.inner.goOn()).toHaveLength(1);
              await failureOf(() => left.outer[0]?.goOn() as Promise<unknown>, refused);
              return left.outer[1];
            });
            expect(await kept?.goOn()).toHaveLength(1);
          }
        }),
      }),
    ),
  ),
];

/** A failure of another database, or of another copy of the package. */
const outage = () => new ConnectionError("It is away.", { code: "CONNECT_FAILED", fate: "not-sent", retryable: true });

const conflicting = (bench: Bench) => failureOf(() => bench.db.transaction((tx) => tx.sql`select fail_with('40001')`), { code: "40001" });

/** What a callback may end with that is not of its own database's doing. */
const strangers: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  "another database's serialization failure": ({ open }) =>
    failureOf(() => open().transaction((tx) => tx.sql`select fail_with('40001')`), { code: "40001", fate: "refused", retryable: true }),
  "another database's deadlock": ({ open }) =>
    failureOf(() => open().transaction((tx) => tx.sql`select fail_with('40P01')`), { code: "40P01", fate: "refused", retryable: true }),
  "another database's outage": async () => outage(),
  "another database's outage, as an error that cannot be changed": async () => Object.freeze(outage()),
  "an earlier call's serialization failure": conflicting,
  "a serialization failure as the cause of the caller's own": async (bench) => new Error("own", { cause: await conflicting(bench) }),
  "serialization failures that the caller gathered": async (bench) => new AggregateError([await conflicting(bench)], "own"),
};

const places = ["before its first statement", "behind a statement", "in a savepoint"] as const;

const others: readonly Case[] = [
  ...Object.entries(strangers).flatMap(([what, make]) =>
    places.map(
      (place): Case => ({
        title: `runs no callback again for ${what}, ${place}`,
        async run(bench) {
          const error = await make(bench);
          const before = bench.db.stats().retries;
          let runs = 0;
          const work = bench.db.transaction(
            async (tx) => {
              runs++;
              if (place === "behind a statement") await tx.sql`select 1`;
              if (place !== "in a savepoint") throw error;
              await tx.transaction(async (inner) => {
                await inner.sql`select 1`;
                throw error;
              });
            },
            { retries: 3 },
          );
          const ended = await work.catch((reason: unknown) => reason);
          expect(ended === error || (ended as Error).cause === error).toBe(true);
          expect([runs, bench.db.stats().retries - before]).toEqual([1, 0]);
        },
      }),
    ),
  ),
  {
    title: "goes on in a session whose transaction failed with the end of another database's call",
    async run({ db, open }) {
      const aborted = { signal: AbortSignal.abort() };
      const ended = await db.session(async (session) => {
        const work = () => session.transaction(() => open().query("select 1", [], aborted));
        await failureOf(work, { code: "ABORTED", fate: "not-sent" });
        return session.sql`select 2 as n`;
      });
      expect(ended).toEqual([{ n: 2 }]);
    },
  },
  {
    title: "runs no callback again for the failure of an earlier run",
    async run({ db }) {
      let runs = 0;
      let first: unknown;
      const work = () =>
        db.transaction(
          async (tx) => {
            runs++;
            if (first !== undefined) throw first;
            await tx.sql`select fail_with('40001')`.catch((error) => {
              first = error;
              throw error;
            });
          },
          { retries: 3 },
        );
      await failureOf(work, { code: "40001" });
      expect(runs).toBe(2);
    },
  },
  {
    title: "runs a callback again for a failure in a savepoint of its own",
    async run({ db }) {
      let runs = 0;
      const work = db.transaction(async (tx) => tx.transaction(async (inner) => runs++ > 0 || inner.sql`select fail_with('40P01')`), {
        retries: 3,
      });
      expect(await work).toBe(true);
      expect(runs).toBe(2);
    },
  },
  ...kinds.flatMap(([kind, { hold }]) =>
    (["nothing", "a statement"] as const).map(
      (behind): Case => ({
        title: `keeps its breaker closed for outages of another database, in a ${kind} behind ${behind}`,
        async run({ open }) {
          const db = open();
          await db.sql`select 1`;
          const startedAt = Date.now();
          for (let run = 0; run < 6 || Date.now() - startedAt < 300; run++) {
            const failing = () =>
              kind === "session" && behind === "a statement"
                ? db.session(async (session) => {
                    await session.sql`select 1`;
                    throw outage();
                  })
                : behind === "a statement"
                  ? db.transaction(async (tx) => {
                      await tx.sql`select 1`;
                      throw outage();
                    })
                  : hold(db, async () => {
                      throw outage();
                    });
            await failureOf(failing, { code: "CONNECT_FAILED" });
          }
          expect(db.stats()).toMatchObject({ breaker: "closed", retries: 0 });
        },
      }),
    ),
  ),
];

/** Calls beside a callback, and what passes through it from elsewhere. */
export const nested: Subject = { title: "callbacks and what is around them", cases: [...nesting, ...others] };
