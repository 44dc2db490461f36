import type { DatabaseOptions } from "../../../src/entry/node.ts";
import type { TimeEvent } from "./handler-time.ts";

/** What takes longer than an invocation, or than somebody's patience. */
export interface TimeKind {
  readonly name: string;
  readonly database: DatabaseOptions;
  /** What the invocation may take, milliseconds. */
  readonly timeoutMs: number;
  /** How long the database accepts and says nothing, milliseconds: Infinity for the whole round, 0 for not at all. */
  readonly silentMs: number;
  /** What is asked in each round, by turns. */
  readonly events: readonly TimeEvent[];
  /** What the handler is to be told of each statement. */
  readonly expected: string;
}

const ended = "DEADLINE_EXCEEDED";

/** All times are a twentieth of those that were reported, or shorter; which setting bounds what is the same. */
export const timeKinds: readonly TimeKind[] = [
  {
    name: "silent database",
    database: { release: "after-invocation", connectTimeoutMs: 20_000 },
    timeoutMs: 800,
    silentMs: Number.POSITIVE_INFINITY,
    events: [{ texts: [], warms: true }, { texts: ["select 1"] }, { texts: ["select 1", "select 2", "select 3"] }],
    expected: `${ended} not-sent`,
  },
  {
    name: "slow wake",
    database: { release: "after-invocation", acquireTimeoutMs: 250, connectTimeoutMs: 1_000 },
    timeoutMs: 20_000,
    silentMs: 450,
    events: [{ texts: ["select 1", "select 2", "select 3"] }, { texts: ["select 1"], warms: true }],
    expected: "answered",
  },
  {
    name: "time-out shorter than the statement",
    database: { deadlineMs: 30_000 },
    timeoutMs: 600,
    silentMs: 0,
    events: [{ texts: ["select pg_sleep(20)"] }],
    expected: `${ended} refused`,
  },
];
