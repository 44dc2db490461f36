import type { Activity, SessionRow } from "../evidence.ts";
import { type Rule, rule } from "../rule.ts";
import { grantedTo } from "./settings.ts";
import { quoted } from "./words.ts";

const MINUTE_MS = 60_000;
/** Longer than any pool here keeps a connection idle by default. */
const SLEEPING_MS = 10 * MINUTE_MS;
const IDLE_IN_TRANSACTION_MS = MINUTE_MS;
const LONG_QUERY_MS = 5 * MINUTE_MS;
/** deadlock_timeout is 1 s: who waits longer waits for somebody who works, or sleeps. */
const BLOCKED_MS = 5_000;
const SLOTS_SHARE = 0.8;

const inMinutes = (ms: number) => `${Math.floor(ms / MINUTE_MS)} min`;
const inSeconds = (ms: number) => `${Math.floor(ms / 1_000)} s`;
const terminate = (pid: number) => `select pg_terminate_backend(${pid})`;
const whose = ({ pid, application, user }: SessionRow) =>
  `pid ${pid}, ${application === "" ? "no application name" : application}, user ${user}`;

/** Sessions of others, with how long each has been at it. */
function longest(activity: Activity, since: (row: SessionRow) => number | null, atLeastMs: number) {
  return activity.sessions
    .map((row) => ({ row, ms: activity.serverNow - (since(row) ?? activity.serverNow) }))
    .filter(({ ms }) => ms >= atLeastMs)
    .sort((one, other) => other.ms - one.ms);
}

/** Rules over sessions: how many there are, and what each is at. */
export const sessionRules: readonly Rule[] = [
  rule({
    name: "slots-nearly-used",
    group: "server",
    needs: ["activity", "limits"],
    costs: "The next burst gets 53300, and retrying does not help: those who have a slot keep it while they sleep.",
    find({ activity, limits }) {
      const used = activity.sessions.length;
      const most = limits.maxConnections - limits.reserved;
      if (used <= most * SLOTS_SHARE) return [];
      return [
        {
          found: `${used} of ${most} slots are taken (${grantedTo(limits)} for this login).`,
          change: "a transaction pooler before the server, and fewer connections in each instance: warmline doctor budget",
        },
      ];
    },
  }),
  rule({
    name: "sleeping-sessions",
    group: "server",
    needs: ["activity", "configured", "backend"],
    costs: "Each holds a slot and some megabytes for nobody: environments that are frozen, or gone without a farewell.",
    find({ activity, configured, backend }) {
      // a pooler keeps sessions so that others need not
      if (configured.plan.capabilities.pooled || backend.behindPooler) return [];
      const own = longest(activity, ({ state, stateSince }) => (state === "idle" ? stateSince : null), SLEEPING_MS).filter(
        ({ row }) => row.application === activity.ownApplication && row.user === activity.ownUser,
      );
      const [first] = own;
      if (first === undefined) return [];
      return [
        {
          found: `Sessions of this application that sleep: ${own.length}, the longest for ${inMinutes(first.ms)}.`,
          change: `alter role ${quoted(activity.ownUser)} set idle_session_timeout = '5min'`,
          at: `pid ${first.row.pid}`,
        },
      ];
    },
  }),
  rule({
    name: "idle-in-transaction",
    group: "server",
    needs: ["activity"],
    costs: "Its locks stop others, and VACUUM keeps every row that died since it began: tables grow, queries slow down.",
    find: ({ activity }) =>
      longest(
        activity,
        ({ state, stateSince }) => (state?.startsWith("idle in transaction") ? stateSince : null),
        IDLE_IN_TRANSACTION_MS,
      ).map(({ row, ms }) => ({
        found: `A transaction is open and idle for ${inSeconds(ms)} (${whose(row)}).`,
        change: terminate(row.pid),
        at: `pid ${row.pid}`,
      })),
  }),
  rule({
    name: "long-query",
    group: "server",
    needs: ["activity"],
    costs: "It holds a slot, a core and its locks, and in serverless its caller has long been given up.",
    find: ({ activity }) =>
      longest(activity, ({ state, statementSince }) => (state === "active" ? statementSince : null), LONG_QUERY_MS)
        .filter(({ row }) => row.blockedBy.length === 0)
        .map(({ row, ms }) => ({
          found: `A statement runs for ${inMinutes(ms)} (${whose(row)}).`,
          change: `select pg_cancel_backend(${row.pid})`,
          at: `pid ${row.pid}`,
        })),
  }),
  rule({
    name: "blocking-chain",
    group: "server",
    needs: ["activity"],
    costs: "Everybody in the chain waits for the first, holds a slot, and lets others wait.",
    find({ activity }) {
      const blocked = longest(activity, ({ statementSince, blockedBy }) => (blockedBy.length > 0 ? statementSince : null), BLOCKED_MS);
      const waiting = new Set(activity.sessions.filter(({ blockedBy }) => blockedBy.length > 0).map(({ pid }) => pid));
      const heads = [...new Set(blocked.flatMap(({ row }) => row.blockedBy))].filter((pid) => !waiting.has(pid));
      const [first] = blocked;
      if (first === undefined) return [];
      const found = `Sessions that wait for locks: ${waiting.size}, the longest for ${inSeconds(first.ms)}; at the head is`;
      return heads.map((head) =>
        // pg_blocking_pids has no other number for what no session holds
        head === 0
          ? { found: `${found} a prepared transaction.`, change: "rollback prepared '<gid>', of those in pg_prepared_xacts" }
          : { found: `${found} pid ${head}.`, change: terminate(head), at: `pid ${head}` },
      );
    },
  }),
  rule({
    name: "leaked-advisory-lock",
    group: "server",
    needs: ["advisoryLocks"],
    costs: "Whoever asks for the lock waits until this session ends, which a warm pool puts off for as long as it can.",
    find: ({ advisoryLocks }) =>
      advisoryLocks
        .filter(({ serverNow, stateSince }) => serverNow - stateSince >= IDLE_IN_TRANSACTION_MS)
        .map(({ pid, serverNow, stateSince }) => ({
          found: `An idle session has held an advisory lock for ${inSeconds(serverNow - stateSince)} (pid ${pid}).`,
          change: "pg_advisory_xact_lock(…) in place of pg_advisory_lock(…): it ends with its transaction",
          at: `pid ${pid}`,
        })),
  }),
];
