import type { PostgresServer } from "../../support/postgres/server.ts";
import { createRandom, type Random } from "../../support/random.ts";
import { layGround } from "./ground.ts";
import { type Handle, openHandle } from "./handle.ts";
import { Rooms } from "./rooms.ts";
import { type Answer, type Wish, wisher } from "./wish.ts";

/** Something that no handle may ever see. */
export interface HandleProblem {
  /** The round, or null for what the server counted beside. */
  readonly round: number | null;
  readonly problem:
    | "ran as another"
    | "ran with a wrong secret"
    | "on another's connection"
    | "failed"
    | "more backends than max"
    | "left behind";
  readonly detail: string;
}

/** What became of the part named `handles`. */
export interface HandleFuzzRow {
  readonly target: "handles";
  readonly seed: number;
  /** Calls. */
  readonly rounds: number;
  /** Handles that were made, two to six at a time. */
  readonly handles: number;
  /** Statements the server answered. */
  readonly statements: number;
  /** Calls of handles whose secret is wrong, all of which the server refused. */
  readonly refused: number;
  /** Backends that served. */
  readonly backends: number;
  /** Times the backends were counted, and rooms that were full then. */
  readonly samples: number;
  readonly full: number;
  readonly problems: readonly HandleProblem[];
}

/** How long it goes on. */
export interface HandleFuzzOptions {
  readonly seed: number;
  readonly count: number;
}

const CALLERS = 8;
const FEWEST = 2;
const MOST = 6;
/** So few calls need not have met with everything. */
const FEW = 1_000;
/** A handle is made or given up once in so many rounds. */
const CHANGE_EVERY = 6;

/** Makes `count` calls through a changing mix of handles on one server, several at a time, and says what was mixed up. */
export async function runHandleFuzz(server: PostgresServer, { seed, count }: HandleFuzzOptions): Promise<HandleFuzzRow> {
  await using ground = await layGround(server);
  const { warn } = console;
  // differing limits are what is tried
  console.warn = () => {};
  try {
    const random = createRandom(seed);
    const rooms = new Rooms();
    rooms.watch(ground.outside, ground.database);
    const crowd = new Crowd(wisher(ground), rooms);
    const problems: HandleProblem[] = [];
    const owners = new Map<string, string>();
    let rounds = 0;
    let statements = 0;
    let refused = 0;

    const caller = async () => {
      while (rounds < count) {
        const round = rounds++;
        if (random.once(CHANGE_EVERY)) await crowd.change(random);
        await crowd.use(random, async (handle) => {
          const { expected, identity } = handle.wish;
          const note = (problem: HandleProblem["problem"], detail: string) => problems.push({ round, problem, detail });
          try {
            const answers = await handle.ask(random);
            statements += answers.length;
            for (const answer of answers) {
              if (expected === null) note("ran with a wrong secret", identity);
              else for (const difference of differences(expected, answer)) note("ran as another", difference);
              const owner = owners.get(answer.backend) ?? identity;
              owners.set(answer.backend, owner);
              if (owner !== identity) note("on another's connection", `${owner} ${identity}`);
            }
          } catch (error) {
            if (expected === null && codeOf(error) === "28P01") refused++;
            else note("failed", `${codeOf(error)} ${error instanceof Error ? error.message : String(error)}`);
          }
        });
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    await crowd.leave();
    await rooms.stop();
    for (const overflow of rooms.overflows)
      problems.push({ round: null, problem: "more backends than max", detail: JSON.stringify(overflow) });
    const { rows } = await ground.outside.query("select 1 from pg_stat_activity where datname = $1", [ground.database]);
    if (rows.length > 0) problems.push({ round: null, problem: "left behind", detail: `${rows.length} backends` });
    const { samples, full } = rooms;
    return {
      target: "handles",
      seed,
      rounds,
      handles: crowd.made,
      statements,
      refused,
      backends: owners.size,
      samples,
      full,
      problems,
    };
  } finally {
    console.warn = warn;
  }
}

/** Whether nothing was mixed up, and enough was at stake. */
export function handlesHold(row: HandleFuzzRow, count: number): boolean {
  const enough = row.handles >= count / 20 && row.refused > 0 && row.backends >= row.handles / 2 && row.full > 0;
  return row.rounds === count && row.problems.length === 0 && (enough || count < FEW);
}

/** The row in words. */
export function describeHandles(row: HandleFuzzRow): string {
  return [
    `handles, seed ${row.seed}: ${row.rounds} calls through ${row.handles} handles, ${row.problems.length} problems`,
    `  ${row.statements} statements on ${row.backends} backends; ${row.refused} calls with a wrong secret, all refused`,
    `  backends counted ${row.samples} times, ${row.full} times as many as max`,
    ...row.problems.slice(0, 20).map(({ round, problem, detail }) => `  round ${round ?? "–"}: ${problem}: ${detail}`),
  ].join("\n");
}

/** What of an answer is not as the handle's settings say. */
export function differences(expected: Omit<Answer, "backend">, answer: Answer): readonly string[] {
  return (Object.keys(expected) as (keyof typeof expected)[])
    .filter((name) => expected[name] !== answer[name])
    .map((name) => `${name}: ${answer[name]} instead of ${expected[name]}`);
}

/** The handles there are, two to six at a time, and those that were left to themselves, as a reload leaves them. */
class Crowd {
  made = 0;
  readonly #wish: (random: Random, number: number) => Wish;
  readonly #rooms: Rooms;
  readonly #present: Handle[] = [];
  readonly #forgotten: Handle[] = [];

  constructor(wish: (random: Random, number: number) => Wish, rooms: Rooms) {
    this.#wish = wish;
    this.#rooms = rooms;
  }

  /** One more, or one less; one that is given up is closed, or only forgotten. */
  async change(random: Random): Promise<void> {
    if (this.#present.length < MOST && (this.#present.length <= FEWEST || random.once(2))) {
      this.#open(random);
      return;
    }
    const [gone] = this.#present.splice(random.between(0, this.#present.length - 1), 1) as [Handle];
    if (random.once(3)) this.#forgotten.push(gone);
    else await gone.close();
    const [old] = this.#forgotten.length > MOST ? this.#forgotten.splice(0, 1) : [];
    await old?.close();
  }

  async use(random: Random, call: (handle: Handle) => Promise<void>): Promise<void> {
    while (this.#present.length < FEWEST) this.#open(random);
    await call(random.pick(this.#present));
  }

  async leave(): Promise<void> {
    await Promise.all([...this.#present, ...this.#forgotten].map((handle) => handle.close()));
  }

  #open(random: Random): void {
    this.#present.push(openHandle(this.#wish(random, this.made++), this.#rooms));
  }
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code);
}
