import { afterAll, beforeAll, expect, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../support/postgres/server.ts";
import { differences, handlesHold, runHandleFuzz } from "./run.ts";

const COUNT = 1_000;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({ tls: true });
});
afterAll(() => server.stop());

test("no statement runs as another handle's, and there are never more backends than max", async () => {
  const row = await runHandleFuzz(server, { seed: 20_261_125, count: COUNT });
  expect(row.problems).toEqual([]);
  expect(handlesHold(row, COUNT)).toBe(true);
});

test("the fuzz tells what is not as a handle's settings say", () => {
  const expected = { who: "one", login: "one", schemas: "public", tls: true, application: "a", timeout: "0" };
  expect(differences(expected, { ...expected, backend: "1" })).toEqual([]);
  expect(differences(expected, { ...expected, who: "two", tls: false, backend: "1" })).toEqual([
    "who: two instead of one",
    "tls: false instead of true",
  ]);
});
