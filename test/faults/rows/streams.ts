import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { isCommandComplete } from "../../support/postgres-messages.ts";
import { until } from "../admin.ts";
import type { ErrandInput } from "../errands.ts";
import { type Expected, failing, notKept, otherwise } from "../expected.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import type { Outcome } from "../outcome.ts";
import { isServerError, watch } from "../watch.ts";

/** Over `http` a stream goes the way of `websocket`. */
const ways: readonly Way[] = ["pool", "websocket", "request", "lambda"];
const row = { group: "streams", ways, rounds: 3, bareRounds: 0 } as const;

const ROWS = 1_000;
const BATCH = 200;
/** In the middle of the second batch. */
const READ = 300;

const undone: Expected = { code: "CONNECTION_LOST", fate: "refused" };

/** Where the connection ends, what the stream is told, how many rows its reader has, and how often its write is there. */
const cuts: readonly (readonly [
  name: string,
  matches: () => (message: PostgresMessage) => boolean,
  expected: Expected,
  seen: number,
  kept: number,
])[] = [
  ["cut after row 1", () => nth("D", 2), undone, 0, 0],
  ["cut after row 500", () => nth("D", 501), undone, 400, 0],
  ["cut before its first batch is complete", () => nth("s", 1), undone, 0, 0],
  ["cut before CommandComplete", () => isSelected, undone, 1_000, 0],
  ["cut between COMMIT and its answer", () => isCommandComplete("COMMIT"), { code: "CONNECTION_LOST", fate: "unknown" }, 1_000, 1],
];

/** Streams of a statement that writes, of which nothing may stay unless its reader was given everything. */
export const streams: readonly Fault[] = [
  ...cuts.map(
    ([name, matches, expected, seen, kept]): Fault => ({
      ...row,
      name: `stream ${name}`,
      async round(ground) {
        let struck = false;
        ground.back.cutAt(matches()).then(() => {
          struck = true;
        });
        const [id, outcome] = await stream(ground);
        return { struck, wrong: otherwise(outcome, expected) ?? notSeen(outcome, seen) ?? (await notKept(ground, id, kept)) };
      },
    }),
  ),
  {
    ...row,
    name: "stream cut before its first row, of a statement that may be repeated",
    async round(ground) {
      let struck = false;
      ground.back.cutAt(nth("D", 1)).then(() => {
        struck = true;
      });
      const [id, outcome] = await stream(ground, { idempotent: true });
      return { struck, wrong: failing(outcome) ?? notSeen(outcome, ROWS) ?? (await notKept(ground, id, 1)) };
    },
  },
  {
    ...row,
    name: "stream in a transaction cut after row 500",
    async round(ground) {
      let struck = false;
      ground.back.cutAt(nth("D", 501)).then(() => {
        struck = true;
      });
      const [id, outcome] = await stream(ground, { within: "transaction" });
      return { struck, wrong: otherwise(outcome, undone) ?? notSeen(outcome, 400) ?? (await notKept(ground, id, 0)) };
    },
  },
  {
    ...row,
    name: "backend killed between two rows of a stream",
    round: (ground) =>
      whileStopped(ground, undone, async ({ admin, applicationName }) => (await admin.kill(applicationName, "idle in transaction")) > 0, {
        at: [READ, "pauses"],
      }),
  },
  {
    ...row,
    name: "stream aborted between two rows",
    // one invocation cannot abort another
    ways: ["pool", "websocket", "request"],
    round: (ground) =>
      whileStopped(ground, { code: "ABORTED", fate: "refused" }, async ({ send }) => (await send("abort", undefined)).state === "ok"),
  },
  {
    ...row,
    name: "reader of a stream that never reads on",
    round: (ground) => whileStopped(ground, { code: "DEADLINE_EXCEEDED", fate: "refused" }, async () => true, { deadlineMs: 500 }),
  },
  {
    ...row,
    name: "reader of a stream in a transaction that never reads on",
    round: (ground) =>
      whileStopped(ground, { code: "DEADLINE_EXCEEDED", fate: "refused" }, async () => true, { deadlineMs: 500, within: "transaction" }),
  },
  {
    ...row,
    name: "reader of a stream that is idle for too long for the server",
    options: { startupOptions: "-c idle_in_transaction_session_timeout=300" },
    async round(ground) {
      const ended = watch(ground.back, isServerError("25P03"));
      const told = await whileStopped(ground, undone, () => until(() => ended.seen()).then(() => true), { at: [READ, "pauses"] });
      ended.stop();
      return told;
    },
  },
  {
    ...row,
    name: "answers swallowed in the middle of a stream",
    options: { deadlineMs: 1_000 },
    async round(ground) {
      let rows = 0;
      const stop = ground.back.onMessage(({ from, type }) => {
        if (from === "server" && type === "D" && ++rows === 500) ground.back.holdServer("open");
      });
      const [id, outcome] = await stream(ground);
      stop();
      ground.back.cut();
      const wrong = otherwise(outcome, { code: "DEADLINE_EXCEEDED", fate: "refused" });
      return { struck: rows >= 500, wrong: wrong ?? notSeen(outcome, 400) ?? (await notKept(ground, id, 0)) };
    },
  },
  ...(["breaks", "throws"] as const).map(
    (what): Fault => ({
      ...row,
      name: `reader of a stream that ${what} at a row`,
      async round(ground) {
        const rolledBack = watch(ground.back, isCommandComplete("ROLLBACK"));
        const [id, outcome] = await stream(ground, { at: [READ, what] });
        rolledBack.stop();
        const wrong = otherwise(outcome, { code: "STREAM_BROKEN_OFF", fate: "refused" });
        return { struck: rolledBack.seen(), wrong: wrong ?? notSeen(outcome, READ) ?? (await notKept(ground, id, 0)) };
      },
    }),
  ),
];

type Streamed = ErrandInput<"streamed">;

/** Reads a stream that carries a write. */
async function stream(ground: Ground, how: Partial<Streamed> = {}): Promise<readonly [id: string, outcome: Outcome]> {
  const id = ground.id();
  return [id, await ground.send("streamed", { id, rows: ROWS, batchSize: BATCH, ...how })];
}

/** What befalls a stream whose reader has stopped at a row. */
async function whileStopped(
  ground: Ground,
  expected: Expected,
  strike: (ground: Ground) => Promise<boolean>,
  how: Partial<Streamed> = {},
): Promise<Round> {
  let asked = 0;
  const stop = ground.back.onMessage(({ from, type }) => {
    if (from === "server" && type === "s") asked++;
  });
  const going = stream(ground, { at: [READ, "stops"], ...how });
  // two batches of 200 have come, and no third is asked for
  await Promise.race([until(() => asked === 2), going]);
  const struck = await strike(ground);
  const [id, outcome] = await going;
  stop();
  return { struck: struck && asked === 2, wrong: otherwise(outcome, expected) ?? (await notKept(ground, id, 0)) };
}

/** The nth message of a type that the server says from now on. */
function nth(type: string, number: number): (message: PostgresMessage) => boolean {
  let left = number;
  return (message) => message.from === "server" && message.type === type && --left === 0;
}

/** CommandComplete of the statement itself, behind its last row. */
function isSelected({ from, type, body }: PostgresMessage): boolean {
  return from === "server" && type === "C" && body.toString().startsWith("SELECT 0");
}

/** How many rows the reader has otherwise than so many, in words. */
function notSeen({ told }: Outcome, rows: number): string | undefined {
  return told === rows ? undefined : `${told} rows were read instead of ${rows}`;
}
