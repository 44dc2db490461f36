import { expect, test } from "vitest";
import { holds } from "../../scripts/proof-run.ts";
import { startScript } from "./demo-child.ts";

test("the proof writes one JSON object to standard output, of what the server itself counted", { timeout: 60_000 }, async () => {
  const { code, stdout } = await startScript("proof.ts", ["--json"]).ended;
  const row = {
    runtime: "node",
    why: expect.any(String),
    invocations: 1_000,
    failures: 0,
    p50Ms: expect.any(Number),
    p99Ms: expect.any(Number),
  };
  expect(JSON.parse(stdout)).toEqual({
    rows: [
      { ...row, transport: "pool", serverSessions: 1, backends: 1 },
      { ...row, transport: "http", serverSessions: expect.any(Number), backends: expect.any(Number) },
    ],
  });
  expect(code).toBe(0);
});

test("the proof does not hold with a session, a backend or a failure more than there was to be", () => {
  const counted = { serverSessions: 1, backends: 1, failures: 0 };
  expect(holds({ connections: 1 }, counted)).toBe(true);
  expect(holds({ connections: 1 }, { ...counted, serverSessions: 2 })).toBe(false);
  expect(holds({ connections: 1 }, { ...counted, backends: 0 })).toBe(false);
  expect(holds({ connections: 1 }, { ...counted, failures: 1 })).toBe(false);
  expect(holds({ connections: null }, { ...counted, serverSessions: 9, backends: 9 })).toBe(true);
  expect(holds({ connections: null }, { ...counted, failures: 1 })).toBe(false);
});
