import { expect, inject, test } from "vitest";
import { startWire } from "../../support/wire.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";

const conflict = "do $$ begin raise exception using errcode = '40001'; end $$";

test("attempts whose callback had not begun take nothing of a transaction's retries", async () => {
  await using wire = await startWire(inject("postgres"));
  await using db = openPool({ url: urlAt(wire), max: 1 });
  let runs = 0;
  const work = (failing: number) => db.transaction(async (tx) => ++runs <= failing && tx.query(conflict), { retries: 1 });
  const lost = wire.cutAt(({ type }) => type === "startup");
  expect(await work(1)).toBe(false);
  await lost;
  expect(runs).toBe(2);
  runs = 0;
  expect(await failureOf(work(9))).toMatchObject({ code: "40001", fate: "refused" });
  expect(runs).toBe(2);
});
