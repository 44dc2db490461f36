import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { type FaultRow, runFaults } from "./run.ts";

const ROUNDS = 3;

let server: PostgresServer;
let rows: readonly FaultRow[];

beforeAll(async () => {
  server = await startPostgres();
  rows = await runFaults(server, { rounds: ROUNDS, hangingRounds: 1, onProgress() {} });
});
afterAll(() => server.stop());

test.each([
  "backend killed",
  "backend killed, told after the next write",
  "FIN",
  "RST on first write",
  "swallowed packets",
  "server restarted",
])("the first call after a thaw succeeds, and writes once: %s", (fault) => {
  const row = rows.find((candidate) => candidate.fault === fault);
  const nothing = { warmlineFailures: 0, warmlineDeaths: 0, warmlineMiscounts: 0, warmlineSurplusConnects: 0 };
  expect(row).toMatchObject({ rounds: ROUNDS, ...nothing });
  expect(row?.p99Ms).toBeGreaterThan(0);
  // the fault is one: pg's own pool does not survive it
  expect(row?.bareFailures).toBe(row?.bareRounds);
});
