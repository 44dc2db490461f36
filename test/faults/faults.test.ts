import { beforeAll, describe, expect, test } from "vitest";
import type { Fault, Way } from "./fault.ts";
import { faults } from "./rows.ts";
import { runSuite, type SuiteRow } from "./run.ts";
import { breaches } from "./tally.ts";

const counts = { lost: 0, doubled: 0, lied: 0, hung: 0, leaked: 0, unhandled: 0, deaths: 0 };

function named(name: string): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (found === undefined) throw new Error(`There is no fault "${name}".`);
  return found;
}

describe("the rows of the suite", () => {
  test("have names of their own", () => {
    const names = faults.map(({ group, name }) => `${group}: ${name}`);
    expect(names).toEqual([...new Set(names)]);
  });

  test("say of warmline and of the bare driver what was lost, doubled, hung and leaked, and how long recovery takes", async () => {
    const chosen = [named("backend killed in flight"), named("throw in the callback")];
    const rows = await runSuite({ faults: chosen, rounds: 1, way: "pool" });
    for (const row of rows) {
      expect(row).toMatchObject({ transport: "pool", rounds: 1, ...counts, wrong: [], bare: { rounds: 1, lost: 0, doubled: 0, hung: 0 } });
      expect(row.recoveryMs).toBeGreaterThan(0);
    }
    expect(rows.map(({ group, fault }) => `${group}: ${fault}`)).toEqual([
      "connection: backend killed in flight",
      "caller: throw in the callback",
    ]);
  });
});

describe("a client that", () => {
  const sins = [
    ["repeats", "doubled"],
    ["says that nothing was done", "lied"],
    ["hangs", "hung"],
    ["ends its process", "deaths"],
    ["leaves a rejection behind", "unhandled"],
    ["acknowledges what it never sent", "lost"],
    ["keeps its connections", "leaked"],
  ] as const;
  let rows: readonly SuiteRow[];

  beforeAll(async () => {
    const strike = named("connection lost between a write and its answer");
    const sinning = sins.map(([name]) => ({ ...strike, name, rounds: 1, options: { name, deadlineMs: 300 } }));
    // what was never sent is not cut: any round counts
    const lenient = sinning.map((fault): Fault => {
      const round: Fault["round"] = async (ground) => ({ ...(await fault.round(ground)), struck: true });
      return { ...fault, round };
    });
    rows = await runSuite({ faults: lenient, way: "pool", contender: "broken" });
  }, 300_000);

  test.each(sins)("%s is caught as %s", (name, count) => {
    const row = rows.find(({ fault }) => fault === name);
    expect(row?.[count]).toBeGreaterThan(0);
    expect(row && breaches(row).join()).toContain(count);
  });
});

describe("a client that", () => {
  const sins: readonly (readonly [sin: string, fault: string, ways: readonly Way[]])[] = [
    ["trusts anyone", "unknown CA", ["pool", "http", "websocket", "request"]],
    ["trusts anyone", "expired certificate", ["http"]],
    ["trusts anyone", "certificate of another host", ["http"]],
    ["falls back to plain text", "downgrade to plain text between two connections", ["pool", "http"]],
  ];

  test.each(sins)('%s is caught by the row "%s"', async (name, fault, ways) => {
    const strict = named(fault);
    const faults = [{ ...strict, ways, rounds: 1, bareRounds: 0, options: { ...strict.options, name } }];
    const rows = await runSuite({ faults, contender: "broken" });
    expect(rows.map(({ transport }) => transport)).toEqual(ways);
    for (const row of rows) expect(breaches(row).join()).toMatch(/\d+ bytes were said to a server that was not verified/);
  });
});
