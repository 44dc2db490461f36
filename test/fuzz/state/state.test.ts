import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { runStateFuzz, stateHolds } from "./run.ts";

const COUNT = 300;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

test("whatever a session sets, and however it ends, the next user finds a connection as new", async () => {
  const row = await runStateFuzz(server, { seed: 20_261_126, count: COUNT });
  expect(row.problems).toEqual([]);
  expect(stateHolds(row, COUNT)).toBe(true);
  expect(row.changed).toBeGreaterThan(20);
});
