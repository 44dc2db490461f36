import { expect, test } from "vitest";
import { pauseBefore } from "../../scripts/proof/pauses.ts";
import { holds } from "../../scripts/proof/run.ts";
import { findPgBouncer } from "../support/pgbouncer.ts";
import { startScript } from "./demo-child.ts";

test("the proof writes one JSON object to standard output, of what the server itself counted", { timeout: 600_000 }, async () => {
  const { code, stdout } = await startScript("proof.ts", ["--json", "--invocations", "40"]).ended;
  const row = {
    why: expect.any(String),
    invocations: 40,
    failures: 0,
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
  };
  const some = { serverSessions: expect.any(Number), backends: expect.any(Number) };
  const one = { serverSessions: 1, backends: 1 };
  expect(JSON.parse(stdout)).toEqual({
    rows: [
      { ...row, runtime: "node", transport: "pool", ...one },
      { ...row, runtime: "node", transport: "http", ...some },
      { ...row, runtime: "lambda", transport: "direct", ...one, why: expect.stringContaining("39 × 0.2 s, 1 × 5 s, in all 0 min") },
      { ...row, runtime: "lambda", transport: "rds proxy", ...one, why: expect.stringContaining("1 IAM token signed") },
      { ...row, runtime: "lambda", transport: "dsql", ...one, why: expect.stringContaining("1 IAM token signed") },
      ...(findPgBouncer() === undefined ? [] : [{ ...row, runtime: "lambda", transport: "pgbouncer, scale-out", ...some }]),
      { ...row, runtime: "workerd", transport: "http", ...some, why: expect.stringContaining("40 subrequests for 40 batches") },
      { ...row, runtime: "workerd", transport: "hyperdrive", ...some, serverSessions: 40 },
      { ...row, runtime: "workerd", transport: "tcp", ...some, serverSessions: 40 },
    ],
  });
  expect(code).toBe(0);
});

test("the proof does not hold with a session, a backend or a failure more than there was to be", () => {
  const counted = { serverSessions: 1, backends: 1, failures: 0, invocations: 20 };
  expect(holds({ connections: 1 }, counted)).toBe(true);
  expect(holds({ connections: 1 }, { ...counted, serverSessions: 2 })).toBe(false);
  expect(holds({ connections: 1 }, { ...counted, backends: 0 })).toBe(false);
  expect(holds({ connections: 1 }, { ...counted, failures: 1 })).toBe(false);
  expect(holds({ connections: null }, { ...counted, serverSessions: 9, backends: 9 })).toBe(true);
  expect(holds({ connections: null }, { ...counted, failures: 1 })).toBe(false);
  expect(holds({ connections: "one each" }, { ...counted, serverSessions: 20, backends: 9 })).toBe(true);
  expect(holds({ connections: "one each" }, { ...counted, serverSessions: 21, backends: 9 })).toBe(false);
  expect(holds({ connections: "one each" }, { ...counted, serverSessions: 19, backends: 9 })).toBe(false);
  expect(holds({ connections: "one each" }, { ...counted, serverSessions: 20, failures: 1 })).toBe(false);
  expect(holds({ connections: 16 }, { ...counted, serverSessions: 16, backends: 9 })).toBe(true);
  expect(holds({ connections: 16 }, { ...counted, serverSessions: 17, backends: 9 })).toBe(false);
  expect(holds({ connections: 16 }, { ...counted, serverSessions: 0, backends: 9 })).toBe(false);
});

test("a thousand invocations on Lambda come after pauses of 0.2, 5, 45 and 300 s, some of them real, and end before a connection is old", () => {
  const pauses = Array.from({ length: 1_000 }, (_, before) => pauseBefore(before + 1));
  const times = pauses.map(({ realMs = 0, wallClockMs = 0 }) => realMs + wallClockMs);
  expect([...new Set(times)].sort((left, right) => left - right)).toEqual([200, 5_000, 45_000, 300_000]);
  expect(pauses.filter(({ realMs }) => realMs !== undefined)).toHaveLength(11);
  expect(times.reduce((sum, ms) => sum + ms)).toBeLessThan(0.9 * 30 * 60_000);
});
