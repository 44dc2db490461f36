import { until } from "../admin.ts";
import { type Expected, failing, notKept, otherwise } from "../expected.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import type { Outcome } from "../outcome.ts";
import { isServerError, watch } from "../watch.ts";

/** Over `http` a session and a transaction go the way of `websocket`. */
const ways: readonly Way[] = ["pool", "websocket", "request", "lambda"];
const row = { group: "truth", ways, rounds: 3, bareRounds: 0 } as const;
/** In this time the callback does something else. */
const PAUSE_MS = 400;

const insert = (id: string) => `insert into fault_writes values ('${id}')`;
const wait = (lock: number) => `select pg_advisory_xact_lock_shared(${lock})`;

/** Sessions and transactions, which speak for all of their work. Bare drivers tell no fate of it. */
export const truthSessions: readonly Fault[] = [
  {
    ...row,
    name: "session that fails behind a statement that was done",
    async round(ground) {
      const failed = watch(ground.back, isServerError("22012"));
      const id = ground.id();
      const outcome = await ground.send("session", { ids: [id], steps: [insert(id), "select 1/0"] });
      failed.stop();
      return { struck: failed.seen(), wrong: otherwise(outcome, { code: "22012", fate: "unknown" }) ?? (await notKept(ground, id, 1)) };
    },
  },
  {
    ...row,
    name: "backend killed in a session, behind a statement that was done",
    round: (ground) => killAtLock(ground, ["57P01", "unknown", 1], (id, lock) => [insert(id), wait(lock)]),
  },
  {
    ...row,
    name: "backend killed in a session, in a transaction of its own",
    round: (ground) => killAtLock(ground, ["57P01", "refused", 0], (id, lock) => ["begin", insert(id), wait(lock)]),
  },
  {
    ...row,
    name: "backend killed between two statements of a session",
    async round(ground) {
      const { admin, applicationName } = ground;
      const id = ground.id();
      const going = ground.send("session", { ids: [id], steps: [insert(id), PAUSE_MS, "select 1"] });
      await until(async () => (await notKept(ground, id, 1)) === undefined);
      const killed = await admin.kill(applicationName, "idle");
      const outcome = await going;
      return {
        struck: killed > 0,
        wrong: otherwise(outcome, { code: "CONNECTION_LOST", fate: "unknown" }) ?? (await notKept(ground, id, 1)),
      };
    },
  },
  {
    ...row,
    name: "session ended by its deadline, behind a statement that was done",
    async round(ground) {
      const { admin, applicationName } = ground;
      const { lock, release } = await admin.lock();
      const id = ground.id();
      const going = ground.send("session", { ids: [id], steps: [insert(id), wait(lock)], deadlineMs: PAUSE_MS });
      await Promise.race([admin.waiting(applicationName), going]);
      const waited = (await notKept(ground, id, 1)) === undefined;
      const outcome = await going;
      await release();
      return { struck: waited, wrong: otherwise(outcome, { code: "DEADLINE_EXCEEDED", fate: "unknown" }) };
    },
  },
  {
    ...row,
    name: "backend killed in a transaction that may be run again",
    async round(ground) {
      const { admin, applicationName } = ground;
      const { lock, release } = await admin.lock();
      const id = ground.id();
      const going = ground.send("steps", { ids: [id], steps: [insert(id), wait(lock)], retries: 3 });
      await admin.waiting(applicationName);
      const killed = await admin.kill(applicationName, "active");
      await release();
      const outcome = await going;
      return { struck: killed > 0, wrong: failing(outcome) ?? (await notKept(ground, id, 1)) };
    },
  },
  {
    ...row,
    name: "idle in a transaction for too long",
    async round(ground) {
      const timedOut = watch(ground.back, isServerError("25P03"));
      const id = ground.id();
      const limit = `set local idle_in_transaction_session_timeout = ${PAUSE_MS / 4}`;
      const outcome = await ground.send("steps", { ids: [id], steps: [insert(id), limit, PAUSE_MS, "select 1"] });
      timedOut.stop();
      return {
        struck: timedOut.seen(),
        wrong: otherwise(outcome, { code: "CONNECTION_LOST", fate: "refused" }) ?? withoutCause(outcome, "25P03"),
      };
    },
  },
];

/** Ends the backend while the session waits for a lock in it. */
async function killAtLock(
  ground: Ground,
  [code, fate, times]: readonly [code: string, fate: Expected["fate"], times: number],
  steps: (id: string, lock: number) => readonly string[],
): Promise<Round> {
  const { admin, applicationName } = ground;
  const { lock, release } = await admin.lock();
  const id = ground.id();
  const going = ground.send("session", { ids: [id], steps: steps(id, lock) });
  await admin.waiting(applicationName);
  const killed = await admin.kill(applicationName, "active");
  const outcome = await going;
  await release();
  return { struck: killed > 0, wrong: otherwise(outcome, { code, fate }) ?? (await notKept(ground, id, times)) };
}

function withoutCause({ settled }: Outcome, code: string): string | undefined {
  const cause = settled.find(({ ok }) => !ok)?.cause;
  return cause === code ? undefined : `its cause is ${cause} instead of ${code}`;
}
