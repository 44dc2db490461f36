import { randomUUID } from "node:crypto";
import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { createRequestDatabase, runRequest } from "../../faults/subjects/request-database.ts";
import { createRandom } from "../../support/random.ts";
import { healthyCall, judgeCall, makeCall, makeCrowd, type Outcome } from "./callers.ts";
import { deeds, oddities } from "./misdeeds.ts";
import { startWrongServer, type WrongServer } from "./wrong-server.ts";

/** A round that showed a defect. The same seed and number make the same round; how its bytes meet the event loop is not in the seed. */
export interface ServerProblem {
  readonly number: number;
  readonly way: Way;
  readonly misdeed: string;
  readonly call: string;
  readonly problem: string;
}

/** What became of all rounds. */
export interface ServerRow {
  readonly target: "server";
  readonly seed: number;
  readonly rounds: number;
  readonly calls: number;
  /** Calls written behind others on their connection. */
  readonly pipelined: number;
  /** Rounds by what the server did in them; `none` where it had no occasion. */
  readonly misdeeds: Readonly<Record<string, number>>;
  /** Rounds by the transport they went over. */
  readonly ways: Readonly<Record<string, number>>;
  /** Calls by how they ended: `done`, or code and fate. */
  readonly ends: Readonly<Record<string, number>>;
  readonly hangs: number;
  /** Exceptions and rejections that nobody caught. */
  readonly crashes: number;
  readonly foreign: number;
  readonly problems: readonly ServerProblem[];
}

/** How long it goes on. */
export interface ServerOptions {
  readonly seed: number;
  readonly count: number;
  /** Misdeeds to choose from. Default: all. */
  readonly only?: readonly string[] | undefined;
  /** Told after each round. */
  readonly onRound?: ((done: number) => void) | undefined;
}

type Way = "pool" | "request" | "websocket";

/** Rounds that run at once, each in front of a server of its own: they mostly wait. */
const lanes: readonly Way[] = [
  ...Array.from({ length: 16 }, () => "pool" as const),
  ...Array.from({ length: 4 }, () => "request" as const),
  ...Array.from({ length: 4 }, () => "websocket" as const),
];

/** So many more calls are made of those that share. */
const CROWD = 3;
/** Where a server goes silent the call's own deadline ends it. */
const DEADLINE_MS = 250;
/** Where nothing is wrong, a busy machine must not be what ends it. */
const HEALTHY_DEADLINE_MS = 5_000;
/** Past every limit a call has, its cancelling among them. */
const HANG_MS = 10_000;

/** Drives every transport against a server that speaks wrongly, once in each round, and holds what callers are told against what it did. */
export async function runServerFuzz({ seed, count, only, onRound }: ServerOptions): Promise<ServerRow> {
  const misdeeds: Record<string, number> = {};
  const ways: Record<string, number> = {};
  const ends: Record<string, number> = {};
  const problems: ServerProblem[] = [];
  const names = Object.keys(deeds).filter((name) => only?.includes(name) ?? true);
  let begun = 0;
  let done = 0;
  let calls = 0;
  let pipelined = 0;
  let hangs = 0;
  let foreign = 0;
  let crashes = 0;
  /** Of all lanes together, so that whatever reaches the wrong caller is seen. */
  let lastNumber = 1000;
  const next = () => ++lastNumber;
  const onCrash = (error: unknown) => {
    crashes++;
    if (problems.length < 100)
      problems.push({
        number: begun,
        way: "pool",
        misdeed: "?",
        call: "?",
        problem: `uncaught: ${String((error as Error)?.stack ?? error)}`,
      });
  };
  process.on("uncaughtException", onCrash);
  process.on("unhandledRejection", onCrash);

  const note = (number: number, way: Way, misdeed: string, outcome: Outcome) => {
    calls++;
    count1(ends, outcome.code ?? "done");
    if (outcome.code === "FOREIGN") foreign++;
    if (outcome.problem !== undefined) problems.push({ number, way, misdeed, call: outcome.kind, problem: outcome.problem });
  };

  const lane = async (way: Way, index: number) => {
    await using server = await startWrongServer(way === "websocket" ? "websocket" : "tcp");
    let db = open(way, server, index);
    // before any deadline is short: the first calls load the drivers
    const kinds = way === "websocket" ? "transactions" : "any";
    const healthy = healthyCall(kinds, next);
    await (way === "request"
      ? runRequest(db, () => healthy.run(db, { deadlineMs: HEALTHY_DEADLINE_MS }))
      : healthy.run(db, { deadlineMs: HEALTHY_DEADLINE_MS }));
    while (begun < count) {
      const number = begun++;
      const random = createRandom(Math.imul(seed, 1_000_003) + number);
      const misdeed = random.pick(names);
      const deadlineMs = misdeed in oddities ? HEALTHY_DEADLINE_MS : DEADLINE_MS;
      const round = async () => {
        const size = random.between(2, 5);
        const callers =
          way === "pool" && random.once(2)
            ? await makeCrowd(db, { size: size + CROWD, round: number }, next)
            : Array.from({ length: size }, () => makeCall(random, kinds, next));
        server.arm(deeds[misdeed] as (typeof deeds)[string], random, random.once(2) ? 0 : random.between(0, 6));
        const outcomes = await Promise.all(
          callers.map(async (call) => {
            const outcome = await bounded(judgeCall(call, call.run(db, { deadlineMs }), server.books));
            return outcome ?? { kind: call.kind, code: "HANG", problem: "it does not end" };
          }),
        );
        const struck = await server.disarm();
        for (const outcome of outcomes) {
          if (outcome.code === "HANG") hangs++;
          note(number, way, misdeed, outcome);
          if (misdeed in oddities && outcome.code !== undefined)
            note(number, way, misdeed, { ...outcome, problem: `what is right was not borne: ${outcome.code}` });
        }
        count1(misdeeds, struck ? misdeed : "none");
        const call = healthyCall(kinds, next);
        const outcome = await bounded(judgeCall(call, call.run(db, { deadlineMs: HEALTHY_DEADLINE_MS }), server.books));
        if (outcome === undefined) hangs++;
        if (outcome?.code !== undefined || outcome === undefined)
          problems.push({
            number,
            way,
            misdeed,
            call: "the next call",
            problem: `does not work: ${outcome?.code ?? "hang"} ${outcome?.problem ?? ""}`,
          });
        else note(number, way, misdeed, outcome);
      };
      await (way === "request" ? runRequest(db, round) : round());
      count1(ways, way);
      done++;
      onRound?.(done);
      // a handle anew now and then: what a lane has learned of its server must not hide how others fare
      if (random.once(20)) {
        await closed(db);
        db = open(way, server, index);
      }
    }
    await closed(db);
  };
  const closed = async (db: Database) => {
    pipelined += db.stats().pipelined;
    if ((await bounded(db.close().then(() => true))) === undefined) hangs++;
  };
  await Promise.all(lanes.map(lane));
  // what surfaces late
  await new Promise((resolve) => setTimeout(resolve, 500));
  process.off("uncaughtException", onCrash);
  process.off("unhandledRejection", onCrash);
  return { target: "server", seed, rounds: done, calls, pipelined, misdeeds, ways, ends, hangs, crashes, foreign, problems };
}

/** Whether the package stood it all. */
export function holdsServer(row: ServerRow, count: number): boolean {
  return row.rounds === count && row.hangs === 0 && row.crashes === 0 && row.problems.length === 0;
}

/** A row in words. */
export function describeServer(row: ServerRow): string {
  const told = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .map(([name, times]) => `${name} ${times}`)
      .join(", ");
  return [
    `server, seed ${row.seed}: ${row.rounds} rounds, ${row.calls} calls, ${row.pipelined} of them behind others, ${row.hangs} hangs, ${row.crashes} crashes, ${row.foreign} foreign rows, ${row.problems.length} problems`,
    `  over: ${told(row.ways)}`,
    `  said: ${told(row.misdeeds)}`,
    `  ended: ${told(row.ends)}`,
    ...row.problems
      .slice(0, 20)
      .map(({ number, way, misdeed, call, problem }) => `  round ${number} (${way}, ${misdeed}, ${call}): ${problem}`),
  ].join("\n");
}

function open(way: Way, { port }: WrongServer, index: number): Database {
  const url = `postgres://fuzz:fuzz@127.0.0.1:${port}/fuzz?sslmode=disable`;
  const options = { name: randomUUID(), connectTimeoutMs: 1_000 };
  switch (way) {
    case "pool":
      return createDatabase({ ...options, url, transport: "pool", max: 1 + (index % 3) });
    case "request":
      return createRequestDatabase({ ...options, url });
    case "websocket":
      return createDatabase({ ...options, url, transport: "http", endpoint: `http://127.0.0.1:${port}` });
  }
}

/** What a promise gives; undefined when it does not end. */
async function bounded<T>(promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), HANG_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function count1(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
