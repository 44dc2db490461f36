import { expect, test } from "vitest";
import { createRequestDatabaseWith } from "../../faults/subjects/request-database.ts";
import { until, urlAt } from "../databases.ts";

test.each([
  ["a query", {}, true],
  ["a query past a cache that was not named, for which no connection is begun", { cache: "bypass" }, false],
] as const)("a request is kept alive no longer than its connections last: %s", async (_, options, succeeds) => {
  const kept: Promise<unknown>[] = [];
  const createDatabase = createRequestDatabaseWith((promise) => void kept.push(promise));
  await using db = createDatabase({ url: urlAt(), target: "hyperdrive", deadlineMs: 10_000 });
  const [answer] = await Promise.allSettled([db.query("select 1", [], options)]);
  expect(answer.status).toBe(succeeds ? "fulfilled" : "rejected");
  expect(kept).toHaveLength(1);
  let ended = false;
  kept[0]?.then(() => {
    ended = true;
  });
  await until(() => ended);
});
