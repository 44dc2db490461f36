import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { type Told, untrue } from "./ledger.ts";
import { callsHold, runCallFuzz } from "./run.ts";

const COUNT = 4_500;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test("every call gets its own answer, and every fate is true, while connections are shared and lost", async () => {
  const row = await runCallFuzz(server, { seed: 20_261_126, count: COUNT });
  expect(row.problems).toEqual([]);
  expect(row.pipelined).toBeGreaterThan(0);
  expect(Object.keys(row.strikes).length).toBeGreaterThan(3);
});

test("few calls, or calm ones, hold nothing", () => {
  const row = {
    target: "calls",
    over: "direct",
    seed: 1,
    rounds: 2_000,
    pipelined: 200,
    strikes: { "a backend is killed": 1 },
    failures: {},
    fates: { unknown: 1, refused: 1 },
    problems: [],
  } as const;
  expect(callsHold(row, 2_000)).toBe(true);
  expect(callsHold({ ...row, pipelined: 0 }, 2_000)).toBe(false);
  expect(callsHold({ ...row, strikes: {} }, 2_000)).toBe(false);
  expect(callsHold({ ...row, rounds: 20, strikes: {} }, 20)).toBe(true);
});

test("the fuzz tells a fate that is not true", () => {
  const told = (fate: string): Told => ({ fate, call: "write" });
  const fates = ["done", "refused", "unknown", "not-sent", "done", "unknown", "applied"];
  const there = new Map([
    [2, 1],
    [3, 1],
    [5, 2],
    [6, 2],
    [7, 1],
    [8, 1],
  ]);
  expect(untrue(new Map(fates.map((fate, at) => [at + 1, told(fate)])), there).map(({ detail }) => detail)).toEqual([
    "1 (write): done, and it is not there",
    "2 (write): refused, and it is there",
    "5 (write): done, and it is there 2 times",
    "6 (write): unknown, and it is there 2 times",
    "8: nobody wrote it",
  ]);
});
