import { expect, test } from "vitest";
import { pauseBefore, pausesInWords } from "../../scripts/proof/pauses.ts";
import { proofTable } from "../../scripts/proof/report.ts";
import { holds, type ProofRow } from "../../scripts/proof/run.ts";
import { startScript } from "./demo-child.ts";

// CI runs the whole of it, `npm run proof`, and fails with its exit code; here is what that does not look at
test("the proof writes one JSON object to standard output, of what the server itself counted", { timeout: 600_000 }, async () => {
  const { code, stdout } = await startScript("proof.ts", ["--json", "--invocations", "20", "--only", "node"]).ended;
  const row = {
    runtime: "node",
    why: expect.any(String),
    invocations: 20,
    failures: 0,
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
  };
  const own = { ...row, held: true, serverSessions: 1, backends: 1 };
  const bare = { ...row, held: null };
  const some = { serverSessions: expect.any(Number), backends: expect.any(Number) };
  expect(JSON.parse(stdout)).toEqual({
    rows: [
      { ...own, transport: "pool" },
      { ...bare, transport: "bare pg.Client", serverSessions: 20, backends: 20 },
      { ...own, ...some, transport: "http", why: expect.stringContaining("20 POSTs for 20 invocations") },
      { ...bare, ...some, transport: "bare neon()", why: expect.stringContaining("40 POSTs for 20 invocations") },
    ],
  });
  expect(code).toBe(0);
});

test("the table says whether a row held, or is there to compare, in a colour where it is asked for", () => {
  const row: ProofRow = {
    runtime: "node",
    transport: "pool",
    why: "pool: held here",
    invocations: 1_000,
    serverSessions: 1,
    backends: 1,
    failures: 0,
    p50Ms: 1,
    p99Ms: 2.5,
    held: true,
  };
  const rows = [row, { ...row, failures: 3, held: false }, { ...row, transport: "bare pg.Pool", held: null }];
  const plain = proofTable(rows);
  expect(plain).toMatch(/^node +pool +1,000 +1 +1 +0 +1\.00 ms +2\.50 ms +held$/m);
  expect(plain).toMatch(/3 +1\.00 ms +2\.50 ms +FAILED$/m);
  expect(plain).toMatch(/^node +bare pg\.Pool .+ compare$/m);
  expect(proofTable(rows, (colour, text) => `<${colour}>${text}`)).toMatch(/<green>held\n.+<red>FAILED\n.+<dim>compare\n/);
});

test("the proof does not hold with a session, a backend or a failure more than there was to be", () => {
  const counted = { serverSessions: 1, backends: 1, failures: 0, invocations: 20 };
  expect(holds(1, counted)).toBe(true);
  expect(holds(1, { ...counted, serverSessions: 2 })).toBe(false);
  expect(holds(1, { ...counted, backends: 0 })).toBe(false);
  expect(holds(1, { ...counted, failures: 1 })).toBe(false);
  expect(holds(null, { ...counted, serverSessions: 9, backends: 9 })).toBe(true);
  expect(holds(null, { ...counted, failures: 1 })).toBe(false);
  expect(holds("one each", { ...counted, serverSessions: 20, backends: 9 })).toBe(true);
  expect(holds("one each", { ...counted, serverSessions: 21, backends: 9 })).toBe(false);
  expect(holds("one each", { ...counted, serverSessions: 19, backends: 9 })).toBe(false);
  expect(holds("one each", { ...counted, serverSessions: 20, failures: 1 })).toBe(false);
  expect(holds(16, { ...counted, serverSessions: 16, backends: 9 })).toBe(true);
  expect(holds(16, { ...counted, serverSessions: 17, backends: 9 })).toBe(false);
  expect(holds(16, { ...counted, serverSessions: 0, backends: 9 })).toBe(false);
});

test("a thousand invocations on Lambda come after pauses of 0.2, 5, 45 and 300 s, some of them real, and end before a connection is old", () => {
  const pauses = Array.from({ length: 1_000 }, (_, before) => pauseBefore(before + 1));
  const times = pauses.map(({ realMs = 0, wallClockMs = 0 }) => realMs + wallClockMs);
  expect([...new Set(times)].sort((left, right) => left - right)).toEqual([200, 5_000, 45_000, 300_000]);
  expect(pauses.filter(({ realMs }) => realMs !== undefined)).toHaveLength(11);
  expect(times.reduce((sum, ms) => sum + ms)).toBeLessThan(0.9 * 30 * 60_000);
  expect(pausesInWords(40)).toContain("39 × 0.2 s, 1 × 5 s, in all 0 min");
});
