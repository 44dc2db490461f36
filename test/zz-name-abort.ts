/** A call that is given up, and whose name the server has refused meanwhile, is told of a name that it never gave. */
import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { failureOf, openPool, urlAt } from "./core/databases.ts";
import { startWire } from "./support/wire.ts";

test("a call that is aborted while its name is refused says ABORTED", async () => {
  await using wire = await startWire(inject("postgres") as never);
  const db = openPool({ url: urlAt(wire), max: 1 });
  for (let n = 0; n < 4; n++) await db.query("select $1::int as n", [n]);
  await db.script("deallocate all");
  await delay(200);
  wire.holdServer("open");
  const controller = new AbortController();
  const failure = failureOf(db.query("select $1::int as n", [1], { signal: controller.signal }));
  await delay(50);
  controller.abort();
  await delay(50);
  wire.resume();
  expect(await failure).toMatchObject({ code: "ABORTED", fate: "refused" });
  await db.close();
});
