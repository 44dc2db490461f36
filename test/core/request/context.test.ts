import { AsyncLocalStorage } from "node:async_hooks";
import { expect, inject, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { failureOf, until } from "../databases.ts";
import { openRequest } from "./open-request.ts";

const caller = new AsyncLocalStorage<string>();
const { password } = inject("postgres");

test("whoever waited for a connection goes on, and opens one, as the call it is, not as the call that gave one back", async () => {
  const seen: Record<string, unknown[]> = { password: [], callback: [], connect: [] };
  await using db = openRequest({
    max: 1,
    password: () => {
      seen.password?.push(caller.getStore());
      return password;
    },
  });
  db.subscribe(({ type }) => void (type === "connect" && seen.connect?.push(caller.getStore())));
  await runRequest(db, async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const breaking = caller.run("first", () =>
      failureOf(
        db.session(async (session) => {
          await held;
          await session.sql`select pg_terminate_backend(pg_backend_pid())`;
        }),
      ),
    );
    const second = caller.run("second", () => db.transaction(async () => void seen.callback?.push(caller.getStore())));
    const third = caller.run("third", () => db.session(async () => void seen.callback?.push(caller.getStore())));
    await until(() => db.stats().waiting === 2);
    letGo();
    await Promise.all([breaking, second, third]);
  });
  expect(seen).toEqual({ password: ["first", "second"], callback: ["second", "third"], connect: ["first", "second"] });
});
