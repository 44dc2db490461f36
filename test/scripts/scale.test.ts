import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type Fleet, simulate } from "../../scripts/scale/model.ts";
import { compare, differences, impossibilities, mostServed } from "../../scripts/scale/predict.ts";
import { filled, type Recorded } from "../../scripts/scale/report.ts";
import { ways, workload } from "../../scripts/scale/workload.ts";

const fleet: Fleet = {
  environments: 50,
  shared: null,
  slots: 100,
  statements: 2,
  sideBySide: false,
  statementMs: [10],
  thinkMs: 300,
  refusalMs: 5,
};

describe("the model of a fleet", () => {
  test("one who asks alone waits for nobody, over every way", () => {
    for (const shared of [null, 1, 100]) {
      const alone = simulate({ ...fleet, environments: 1, shared });
      expect(alone).toMatchObject({ success: 1, connections: 1 });
      expect(alone.p50Ms).toBeCloseTo(20);
      expect(alone.p99Ms).toBeCloseTo(20);
    }
    expect(simulate({ ...fleet, environments: 1, sideBySide: true }).p99Ms).toBeCloseTo(10);
  });

  test.each([
    [50, false, 50, 1],
    [100, false, 100, 1],
    [200, false, 100, 0.5],
    [1_000, false, 100, 0.1],
    [50, true, 100, 1],
    [100, true, 100, 0.5],
  ])(
    "%i environments that keep their connections (side by side: %s) hold %i, and a share of %d succeeds",
    (environments, sideBySide, connections, success) => {
      // who is refused at once asks as often as who is served
      const seen = simulate({ ...fleet, environments, sideBySide, refusalMs: sideBySide ? 10 : 20 });
      expect(seen.connections).toBe(connections);
      expect(Math.abs(seen.success - success)).toBeLessThan(0.02);
    },
  );

  test("one server and many who ask seldom wait as Pollaczek and Khinchine say", () => {
    const [environments, load, statementMs] = [2_000, 0.7, 10];
    const thinkMs = (environments * statementMs) / load;
    const { meanMs } = simulate(
      { ...fleet, environments, shared: 1, statements: 1, statementMs: [statementMs], thinkMs },
      { seconds: 3_000, warmUpSeconds: 100, seed: 7 },
    );
    const expected = statementMs + (load * statementMs) / (2 * (1 - load));
    expect(meanMs / expected).toBeGreaterThan(0.95);
    expect(meanMs / expected).toBeLessThan(1.05);
  });

  test.each([10, 16, 100])("%i connections that are never idle give what Little's law says", (shared) => {
    const environments = 40 * shared;
    const { meanMs, calls, connections } = simulate({ ...fleet, environments, shared }, { seconds: 60, warmUpSeconds: 10, seed: 3 });
    const perSecond = shared / 0.02;
    expect(connections).toBe(shared);
    expect(calls / 60 / perSecond).toBeCloseTo(1, 1);
    expect(meanMs / ((environments / perSecond) * 1_000 - fleet.thinkMs)).toBeCloseTo(1, 1);
  });

  test("who is alone waits as long as statements take: in turn for the sum of two, side by side for the longer one", () => {
    const uneven = { ...fleet, environments: 1, shared: 2, statementMs: [10, 10, 10, 30] };
    expect(simulate(uneven).meanMs).toBeCloseTo(30, -0.5);
    expect(simulate({ ...uneven, sideBySide: true }).meanMs).toBeCloseTo((9 * 10 + 7 * 30) / 16, -0.5);
    expect(simulate({ ...uneven, shared: null, sideBySide: true }).meanMs).toBeCloseTo((9 * 10 + 7 * 30) / 16, -0.5);
  });

  test("the same seed gives the same fleet, another one nearly the same", () => {
    const shared = { ...fleet, environments: 200, shared: 10 };
    const run = (seed: number) => simulate(shared, { seconds: 30, warmUpSeconds: 5, seed });
    expect(run(1)).toEqual(run(1));
    expect(run(2)).not.toEqual(run(1));
    expect(run(2).p50Ms / run(1).p50Ms).toBeCloseTo(1, 1);
  });
});

describe("the model beside the recorded run", async () => {
  const recorded = JSON.parse(await readFile(new URL("../../scripts/scale/recorded.json", import.meta.url), "utf8")) as Recorded;
  const rows = ways.flatMap((way) => compare(way, [1, 10, 50, 100, 150, 200], { runs: recorded.runs, slots: workload.slots }));
  const judged = rows.filter(({ off, void: reason }) => off !== null && reason === null);

  test("is near what was seen, wherever the machine had a processor to spare", () => {
    expect(judged.length).toBeGreaterThan(4);
    expect(judged.filter(({ off }) => off?.length !== 0)).toEqual([]);
  });

  test("would be told to be wrong about another server, other statements, and other ways", () => {
    const [{ seen: run, model } = rows[0] as (typeof rows)[number]] = judged.toReversed();
    if (run === null) throw new Error("Nothing was recorded that could be judged.");
    const seen = { ...run, calls: 1_000 };
    expect(
      differences(seen, { ...model, success: 0.9, connections: 4 * model.connections + 10, p50Ms: model.p50Ms * 3, p99Ms: seen.p99Ms * 4 }),
    ).toEqual(["success", "connections", "p50", "p99"]);
  });
});

test("the most environments that are served well: as many as there are slots directly, by what statements take of their time through a pooler", () => {
  const { environments: _, ...direct } = fleet;
  expect(mostServed(direct, 1_000)).toBe(100);
  expect(mostServed({ ...direct, sideBySide: true }, 1_000)).toBe(50);
  const pooled = (share: number) => mostServed({ ...direct, shared: 10, thinkMs: 20 / share - 20 }, 2_000);
  expect(pooled(0.01) / (10 / 0.01)).toBeGreaterThan(0.8);
  expect(pooled(0.1) / (10 / 0.1)).toBeGreaterThan(0.8);
});

test("more connections than there are, and a call that a pooler refused, are told", () => {
  const model = simulate(fleet);
  const row = (way: "direct" | "endpoint", seen: object) => ({
    way,
    environments: 50,
    model,
    seen: { ...model, ...seen },
    off: [],
    void: null,
  });
  expect(impossibilities([row("direct", { connections: 50, success: 0.5 }), row("endpoint", { connections: 16 })], 50)).toEqual([]);
  expect(impossibilities([row("direct", { connections: 51 }), row("endpoint", { connections: 17, success: 0.99 })], 50)).toEqual([
    "direct, warmline, max 1, 50: 51 connections where 50 are allowed.",
    "endpoint over HTTP, 16 links, 50: 17 connections where 16 are allowed.",
    "endpoint over HTTP, 16 links, 50: calls failed.",
  ]);
});

test("a place of the document is filled anew, and one that is missing is told", () => {
  expect(filled("a <!-- run -->\nold\n<!-- /run --> z", { run: "new" })).toBe("a <!-- run -->\nnew\n<!-- /run --> z");
  expect(() => filled("a", { run: "new" })).toThrow("<!-- run -->");
});
