import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { collectEmf } from "../../src/adapters/emf.ts";
import { lambdaHandler } from "../../src/adapters/lambda.ts";
import { type Database, sql } from "../../src/entry/node.ts";
import { failureOf, openPool } from "../core/databases.ts";
import { readEmf } from "./emf-schema.ts";

const canary = "canary-of-a-value";
let db: Database;
let lines: string[];
let flush: () => void;

beforeEach(() => {
  db = openPool();
  lines = [];
  flush = collectEmf(
    db,
    { namespace: "Shop/Database" },
    { write: (line) => lines.push(line), now: () => 1_790_000_000_000, functionName: "shop" },
  );
});
afterEach(() => db.close());

const read = () => lines.map(readEmf);

test("one line tells what happened since the last one, as CloudWatch takes it, and no value", async () => {
  await db.query(sql`select ${canary}::text`);
  await failureOf(db.query(sql`select ${canary}::int`));
  await db.transaction((tx) => tx.query("select 1"));
  flush();
  expect(read()).toEqual([
    {
      namespace: "Shop/Database",
      metrics: [
        { Name: "QueryDuration", Unit: "Milliseconds" },
        ...["QueryFailures", "Retries", "Connects", "Reuses", "Thaws", "Discards", "Leaks"].map((Name) => ({ Name, Unit: "Count" })),
      ],
      FunctionName: "shop",
      Database: inject("postgres").database,
      QueryDuration: [expect.any(Number), expect.any(Number), expect.any(Number)],
      QueryFailures: 1,
      Retries: 0,
      Connects: 1,
      Reuses: 2,
      Thaws: 0,
      Discards: 0,
      Leaks: 0,
    },
  ]);
  expect(JSON.parse(lines[0] ?? "")._aws.Timestamp).toBe(1_790_000_000_000);
  expect(lines.join()).not.toContain(canary);
  expect(lines.join()).not.toContain("\n");
});

test("nothing is written when nothing happened", async () => {
  flush();
  await db.query("select 1");
  flush();
  flush();
  expect(lines).toHaveLength(1);
});

test("a connection alone is told without durations", async () => {
  await db.warmUp();
  flush();
  expect(read()).toMatchObject([{ Connects: 1 }]);
  expect(read()[0]).not.toHaveProperty("QueryDuration");
});

test("more than a hundred calls take several lines, and none is lost", async () => {
  for (let count = 0; count < 250; count++) await db.query("select 1");
  flush();
  expect(read().map(({ QueryDuration }) => (QueryDuration as number[]).length)).toEqual([100, 100, 50]);
  expect(read().reduce((sum, { Connects, Reuses }) => sum + Number(Connects) + Number(Reuses), 0)).toBe(250);
});

test.each(["", "AWS/Lambda", ":shop", "shop\n", "größe", "x".repeat(257)])("the namespace %j is refused", (namespace) => {
  expect(() => lambdaHandler(db, async () => {}, { emf: { namespace } })).toThrow(RangeError);
});
