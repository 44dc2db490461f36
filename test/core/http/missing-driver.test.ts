import { expect, test, vi } from "vitest";
import { createDatabase } from "../../../src/entry/edge.ts";
import { failureOf } from "../databases.ts";
import { answer, oneRow, startToldServer } from "./told-server.ts";

const driver = vi.hoisted(() =>
  vi.fn(() => {
    throw new Error("Cannot find module /secret/place");
  }),
);
vi.mock("@neondatabase/serverless", driver);

test("a session whose driver cannot be loaded was not sent, and queries and batches need none", async () => {
  await using server = await startToldServer();
  await using db = createDatabase({ host: "db.invalid", database: "app", user: "app", sslMode: "require", endpoint: server.url });
  server.tell(answer(200, oneRow));
  expect((await db.query("select 'x' as word")).rows).toEqual([{ word: "x" }]);
  expect(driver).not.toHaveBeenCalled();
  for (const work of [db.session(async () => 1), db.transaction(async () => 1)]) {
    const error = await failureOf(work);
    expect(error).toMatchObject({ name: "ConnectionError", code: "DRIVER_MISSING", fate: "not-sent", retryable: false });
    expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain("secret");
  }
  expect(server.bodies).toHaveLength(1);
});
