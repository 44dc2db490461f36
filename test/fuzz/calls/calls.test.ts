import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { callsHold, runCallFuzz, untrue } from "./run.ts";

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
  expect(row.strikes).toBeGreaterThan(0);
});

test("few calls, or calm ones, hold nothing", () => {
  const row = {
    target: "calls",
    seed: 1,
    rounds: 2_000,
    pipelined: 200,
    strikes: 1,
    fates: { unknown: 1, refused: 1 },
    problems: [],
  } as const;
  expect(callsHold(row, 2_000)).toBe(true);
  expect(callsHold({ ...row, pipelined: 0 }, 2_000)).toBe(false);
  expect(callsHold({ ...row, strikes: 0 }, 2_000)).toBe(false);
  expect(callsHold({ ...row, rounds: 20, strikes: 0 }, 20)).toBe(true);
});

test("the fuzz tells a fate that is not true", () => {
  expect(
    untrue(
      new Map([
        [1, "done"],
        [2, "refused"],
        [3, "unknown"],
        [4, "not-sent"],
      ]),
      new Set([2, 3, 5]),
    ).map(({ detail }) => detail),
  ).toEqual(["1: done, and it is not there", "2: refused, and it is there", "5: nobody wrote it"]);
});
