import { expect, test, vi } from "vitest";
import { createDatabase } from "../../../src/entry/edge.ts";
import { failureOf } from "../databases.ts";
import { answer, oneRow, startToldServer } from "./told-server.ts";

vi.mock("../../../src/entry/late.ts", () => {
  throw new Error("Cannot find module /secret/place");
});

test("where what is loaded late was not deployed, queries work, a session was not sent, and a failure that cannot be read may have been done", async () => {
  await using server = await startToldServer();
  await using db = createDatabase({ host: "db.invalid", database: "app", user: "app", sslMode: "require", endpoint: server.url });
  server.tell(answer(200, oneRow));
  expect((await db.query("select 'x' as word")).rows).toEqual([{ word: "x" }]);
  const held = [db.session(async () => 1), db.transaction(async () => 1), db.stream("select 1").batches().next()];
  const errors = await Promise.all(held.map(failureOf));
  for (const error of errors)
    expect(error).toMatchObject({ name: "ConnectionError", code: "DRIVER_MISSING", fate: "not-sent", retryable: false });
  expect(server.bodies).toHaveLength(1);
  server.tell(answer(400, { message: "no", code: "42601", severity: "ERROR" }));
  const unread = await failureOf(db.query("insert"));
  expect(unread).toMatchObject({ name: "ConnectionError", code: "CONNECTION_LOST", fate: "unknown" });
  expect(server.bodies).toHaveLength(2);
  for (const error of [...errors, unread]) expect(`${error.message}${error.stack}${JSON.stringify(error)}`).not.toContain("secret");
});
