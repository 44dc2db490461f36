import { expect, test, vi } from "vitest";
import { failureOf, openPool } from "../databases.ts";

const HOUR_MS = 3_600_000;

test("where an environment freezes, a call whose time was over meanwhile ends when the next one comes", async () => {
  await using db = openPool({ runtime: "lambda", max: 1, deadlineMs: 60_000 });
  await db.sql`select 1`;
  const forgotten = [db.query("select pg_sleep(300)"), db.transaction(async (tx) => void (await tx.sql`select pg_sleep(300)`))].map(
    failureOf,
  );
  const { now } = Date;
  const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + HOUR_MS);
  try {
    // bounded by less than those are
    expect((await db.query("select 1 as one", [], { deadlineMs: 20_000 })).rows).toEqual([{ one: 1 }]);
    for (const failure of await Promise.all(forgotten)) expect(failure).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  } finally {
    clock.mockRestore();
  }
});
