import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { stopTimers } from "../../support/stopped-timers.ts";
import { type Bench, type Case, type ExpectedError, eventually, failureOf, onlyValue, type Subject } from "../case.ts";

/** Far longer than any test may take: only its end by the call's own can let the test pass. */
const forever = ({ mark }: Bench, what: string) => sql`select pg_sleep(600) /* ${sql.raw(`${mark} ${what}`)} */`;

/** Waits until the statement sleeps at the server: a server that only reads its next message does not heed a CancelRequest. */
function hasBegun({ open, mark }: Bench, what: string): Promise<void> {
  const watcher = open();
  const sleeping = sql`select exists (select from pg_stat_activity where wait_event = 'PgSleep' and query like ${`%/* ${mark} ${what} */%`})`;
  return eventually(() => onlyValue(watcher.sql`${sleeping}`), true);
}

const DEADLINE_MS = 300;

/** Ends a call by its deadline of 300 ms, which passes when `hasBegun` holds: on a slow machine it would pass before, and end another thing. */
async function failsAtDeadline(bench: Bench, what: string, work: () => Promise<unknown>, expected: Partial<ExpectedError> = {}) {
  using timers = stopTimers();
  const failure = failureOf(work, { name: "CancelledError", code: "DEADLINE_EXCEEDED", ...expected });
  await Promise.all([failure, hasBegun(bench, what).then(() => timers.pass(DEADLINE_MS))]);
}

/** Waits until nothing of the statement runs at the server; where the target knows no cancel, it is ended here. */
async function isGone({ open, mark, cancels }: Bench, what: string): Promise<void> {
  const watcher = open();
  if (!cancels) {
    const pattern = `%/* ${mark} ${what} */%`;
    await watcher.sql`select pg_cancel_backend(pid) from pg_stat_activity where query like ${pattern} and pid <> pg_backend_pid()`;
  }
  await runs(watcher, mark, what, false);
}

function runs(watcher: Bench["db"], mark: string, what: string, wanted: boolean): Promise<void> {
  const ask = () =>
    onlyValue(
      watcher.sql`select exists (select from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like ${`%/* ${mark} ${what} */%`})`,
    );
  return eventually(ask, wanted);
}

const fateOfCancelled = ({ transport, cancels }: Bench) => (transport === "http" || !cancels ? "unknown" : "refused");

const cases: readonly Case[] = [
  {
    title: "ends a query at its deadline, at the server too",
    async run(bench) {
      const work = () => bench.db.query(forever(bench, "deadline"), { deadlineMs: DEADLINE_MS });
      await failsAtDeadline(bench, "deadline", work, { fate: fateOfCancelled(bench) });
      await isGone(bench, "deadline");
    },
  },
  {
    title: "takes the deadline from the settings",
    async run(bench) {
      const hasty = bench.open({ deadlineMs: DEADLINE_MS });
      await failsAtDeadline(bench, "setting", () => hasty.query(forever(bench, "setting")));
      await isGone(bench, "setting");
    },
  },
  {
    title: "ends a query when its signal is aborted, at the server too",
    async run(bench) {
      // the server may take its time to answer the CancelRequest
      using _timers = stopTimers();
      const controller = new AbortController();
      const work = failureOf(() => bench.db.query(forever(bench, "signal"), { signal: controller.signal }), {
        name: "CancelledError",
        code: "ABORTED",
        fate: fateOfCancelled(bench),
        retryable: false,
      });
      await hasBegun(bench, "signal");
      const reason = new Error("the visitor left");
      controller.abort(reason);
      expect((await work).cause).toBe(reason);
      await isGone(bench, "signal");
    },
  },
  {
    title: "sends nothing when its signal was aborted before",
    async run({ db }) {
      const signal = AbortSignal.abort();
      const write = () => db.query("insert into ledger values (6001)", [], { signal });
      await failureOf(write, { name: "CancelledError", code: "ABORTED", fate: "not-sent" });
      await failureOf(() => db.batch([sql`insert into ledger values (6001)`], { signal }), { code: "ABORTED", fate: "not-sent" });
      await failureOf(() => db.transaction((tx) => tx.sql`insert into ledger values (6001)`, { signal }), {
        code: "ABORTED",
        fate: "not-sent",
      });
      await failureOf(() => db.session((session) => session.sql`insert into ledger values (6001)`, { signal }), {
        code: "ABORTED",
        fate: "not-sent",
      });
      await failureOf(() => db.script("insert into ledger values (6001)", { signal }), { code: "ABORTED", fate: "not-sent" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 6001`)).toBe(0);
    },
  },
  {
    title: "does not mind a signal that is aborted after the end",
    async run({ db }) {
      const controller = new AbortController();
      const { rows } = await db.query("select 1 as n", [], { signal: controller.signal });
      controller.abort();
      expect(rows).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "takes one signal for many calls, and leaves no listener on it",
    async run({ db }) {
      const controller = new AbortController();
      let listeners = 0;
      const { signal } = controller;
      const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
      signal.addEventListener = ((...args: Parameters<typeof add>) => {
        listeners++;
        add(...args);
      }) as typeof add;
      signal.removeEventListener = ((...args: Parameters<typeof remove>) => {
        listeners--;
        remove(...args);
      }) as typeof remove;
      await Promise.all([1, 2, 3].map((n) => db.query("select $1::int", [n], { signal })));
      expect(listeners).toBe(0);
    },
  },
  {
    title: "has no deadline when told 0",
    async run({ open }) {
      const hasty = open({ deadlineMs: 200 });
      expect((await hasty.query("select pg_sleep(0.4), 1 as n", [], { deadlineMs: 0 })).rows).toMatchObject([{ n: 1 }]);
    },
  },
  {
    title: "ends a batch at its deadline, and nothing of it stays",
    async run(bench) {
      const statements = [sql`insert into ledger values (6002)`, forever(bench, "batch")];
      await failsAtDeadline(bench, "batch", () => bench.db.batch(statements, { deadlineMs: DEADLINE_MS }));
      await isGone(bench, "batch");
      expect(await onlyValue(bench.db.sql`select count(*)::int from ledger where entry = 6002`)).toBe(0);
    },
  },
  {
    title: "ends a transaction at its deadline, and nothing of it stays",
    async run(bench) {
      const work = () =>
        bench.db.transaction(
          async (tx) => {
            await tx.sql`insert into ledger values (6003)`;
            await tx.query(forever(bench, "transaction"));
          },
          { deadlineMs: DEADLINE_MS },
        );
      await failsAtDeadline(bench, "transaction", work, { fate: "refused" });
      await isGone(bench, "transaction");
      expect(await onlyValue(bench.db.sql`select count(*)::int from ledger where entry = 6003`)).toBe(0);
    },
  },
  {
    title: "ends a transaction whose callback never returns",
    async run({ db }) {
      using timers = stopTimers();
      const work = () =>
        db.transaction(
          async (tx) => {
            await tx.sql`insert into ledger values (6004)`;
            timers.pass(DEADLINE_MS);
            await new Promise(() => {});
          },
          { deadlineMs: DEADLINE_MS },
        );
      await failureOf(work, { name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "refused" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 6004`)).toBe(0);
    },
  },
  {
    title: "ends a transaction when its signal is aborted",
    async run(bench) {
      using _timers = stopTimers();
      const controller = new AbortController();
      const work = failureOf(
        () => bench.db.transaction((tx) => tx.query(forever(bench, "aborted transaction")), { signal: controller.signal }),
        {
          code: "ABORTED",
          fate: "refused",
        },
      );
      await hasBegun(bench, "aborted transaction");
      controller.abort();
      await work;
      await isGone(bench, "aborted transaction");
    },
  },
  {
    title: "ends a session at its deadline",
    async run(bench) {
      const work = () => bench.db.session((session) => session.query(forever(bench, "session")), { deadlineMs: DEADLINE_MS });
      await failsAtDeadline(bench, "session", work);
      await isGone(bench, "session");
    },
  },
  {
    title: "ends a script at its deadline",
    async run(bench) {
      const work = () => bench.db.script(`select 1; select pg_sleep(600) /* ${bench.mark} script */`, { deadlineMs: DEADLINE_MS });
      await failsAtDeadline(bench, "script", work);
      await isGone(bench, "script");
    },
  },
  {
    title: "ends an attempt at its time-out, at the server too, and tries again what may be repeated",
    async run(bench) {
      const limits = { attemptTimeoutMs: 500, idempotent: true };
      const query = sql`select slow_at_first('tries_of_a_claimed_query') as tries /* ${sql.raw(`${bench.mark} claimed`)} */`;
      const { rows, via } = await bench.db.query(query, limits);
      expect(rows[0]?.tries).toBeGreaterThan(1);
      expect(via.attempts).toBeGreaterThan(1);
      await isGone(bench, "claimed");
      const [, result] = await bench.db.batch(
        [
          sql`insert into ledger values (6005)`,
          sql`select slow_at_first('tries_of_a_batch') as tries /* ${sql.raw(`${bench.mark} twice`)} */`,
        ],
        limits,
      );
      expect(result?.via.attempts).toBeGreaterThan(1);
      expect(result?.rows).not.toEqual([{ tries: 1 }]);
      await isGone(bench, "twice");
      expect(await onlyValue(bench.db.sql`select count(*)::int from ledger where entry = 6005`)).toBe(1);
    },
  },
  {
    title: "tries again after an attempt's time-out without a claim only where nothing stays done",
    async run(bench) {
      const query = sql`select slow_at_first('tries_of_a_query') as tries /* ${sql.raw(`${bench.mark} unclaimed`)} */`;
      const work = bench.db.query(query, { attemptTimeoutMs: 500 });
      if (fateOfCancelled(bench) === "refused") expect(await onlyValue(work.then(({ rows }) => rows))).toBeGreaterThan(1);
      else await failureOf(() => work, { name: "CancelledError", code: "ATTEMPT_TIMEOUT", fate: "unknown", retryable: false });
      await isGone(bench, "unclaimed");
    },
  },
  {
    title: "cancels one of several queries and leaves the others alone",
    async run(bench) {
      const controller = new AbortController();
      const victim = failureOf(() => bench.db.query(forever(bench, "victim"), { signal: controller.signal }), { code: "ABORTED" });
      const others = Array.from({ length: 5 }, (_, n) => bench.db.sql`select ${n}::int as n, pg_sleep(0.1)::text as slept`);
      await hasBegun(bench, "victim");
      controller.abort();
      await victim;
      expect((await Promise.all(others)).map(([row]) => row?.n)).toEqual([0, 1, 2, 3, 4]);
      await isGone(bench, "victim");
    },
  },
  {
    title: "passes on a cancellation that came from elsewhere as the server's own",
    async run(bench) {
      const work = failureOf(() => bench.db.query(forever(bench, "from elsewhere")), {
        name: "DatabaseError",
        code: "57014",
        fate: "refused",
      });
      await hasBegun(bench, "from elsewhere");
      const pattern = `%/* ${bench.mark} from elsewhere */%`;
      await bench.db.sql`select pg_cancel_backend(pid) from pg_stat_activity where query like ${pattern} and pid <> pg_backend_pid()`;
      await work;
    },
  },
  {
    title: "ends a statement by the server's own timeout, when the settings say so",
    async run({ open, mark, cancels }) {
      // neither the server nor a CancelRequest ends it there
      if (!cancels) return;
      const timed = open({ statementTimeoutMs: 80, name: `${mark} timed` });
      const expected = { name: "DatabaseError", code: "57014", fate: "refused" } as const;
      await failureOf(() => timed.sql`select pg_sleep(600)`, expected);
      await failureOf(() => timed.batch([sql`select pg_sleep(600)`]), expected);
      await failureOf(() => timed.transaction((tx) => tx.sql`select pg_sleep(600)`), expected);
    },
  },
  {
    title: "tells the server's own timeout by its code",
    async run({ db }) {
      const work = () =>
        db.transaction(async (tx) => {
          await tx.sql`set local statement_timeout = 50`;
          await tx.sql`select pg_sleep(600)`;
        });
      await failureOf(work, { name: "DatabaseError", code: "57014", fate: "refused" });
    },
  },
];

/** Deadlines and signals. */
export const cancelling: Subject = { title: "deadlines and signals", cases };
