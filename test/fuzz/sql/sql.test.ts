import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { createRandom } from "../../support/random.ts";
import { problemOf, runSqlFuzz, sqlHolds } from "./run.ts";
import { sqlScript, sqlText } from "./texts.ts";

const COUNT = 500;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ settings: { max_prepared_transactions: "100" } });
});
afterAll(() => server.stop());

test("the guard and the server agree, and what the package says of a text is so", async () => {
  const row = await runSqlFuzz(server, { seed: 20_261_125, count: COUNT });
  expect(row.problems).toEqual([]);
  expect(row.changing).toBeGreaterThanOrEqual(COUNT / 5);
  expect(row.leavingUnguarded).toBeGreaterThanOrEqual(COUNT / 20);
  expect(sqlHolds(row, COUNT)).toBe(true);
});

test("the same seed makes the same texts", () => {
  const texts = (seed: number) =>
    Array.from({ length: 50 }, (_, number) => [sqlText, sqlScript].map((make) => make(createRandom(seed + number), number)));
  expect(texts(1)).toEqual(texts(1));
  expect(texts(1)).not.toEqual(texts(2));
});

const passed = { refused: false, controls: false, ran: true, changed: false, left: false };

test.each([
  ["a text that does nothing", passed, undefined],
  ["one that leaves something", { ...passed, left: true }, "passed, and left something"],
  ["control that the guard did not see", { ...passed, controls: true }, "passed"],
  ["control that it saw", { ...passed, controls: true, left: true, refused: true }, undefined],
  ["what it took for control", { ...passed, refused: true }, "refused in vain"],
  ["what it took for control, and the server for nothing", { ...passed, refused: true, ran: false }, undefined],
])("the fuzz judges %s", (_, verdict, problem) => {
  expect(problemOf(verdict)).toBe(problem);
});
