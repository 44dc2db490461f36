import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, inject, test } from "vitest";
import { openPool, urlAt } from "../databases.ts";
import type { DateErrand, DateReport } from "./date-process.ts";

const SEED = 20_261_125;
const COUNT = 400;
const program = fileURLToPath(new URL("date-process.ts", import.meta.url));

/** Zones on both sides of Greenwich, with offsets that had seconds, clocks that jumped by half an hour and days that were left out. */
const zones = [
  "UTC",
  "Europe/Amsterdam",
  "Europe/Dublin",
  "Africa/Monrovia",
  "America/New_York",
  "America/Sao_Paulo",
  "America/St_Johns",
  "Asia/Kolkata",
  "Asia/Manila",
  "America/Juneau",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Kiritimati",
];

test.each(zones)("every instant comes back, and every reading is stored as it is, in a process in %s", async (zone) => {
  const errand: DateErrand = { url: urlAt(), endpoint: inject("endpoint"), seed: SEED, count: COUNT };
  const { stdout } = await promisify(execFile)(process.execPath, ["--no-warnings", program, JSON.stringify(errand)], {
    env: { ...process.env, TZ: zone },
  });
  const { wrong, compared, offsetsWithSeconds }: DateReport = JSON.parse(stdout);
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(compared).toBe(COUNT);
  if (zone !== "UTC") expect(offsetsWithSeconds).toBeGreaterThan(20);
});

/** A Date that shows another zone, as date libraries make them. */
class InTokyo extends Date {
  override getHours() {
    return new Date(this.getTime() + 9 * 3_600_000).getUTCHours();
  }
  override getDate() {
    return new Date(this.getTime() + 9 * 3_600_000).getUTCDate();
  }
  override getMinutes() {
    return this.getUTCMinutes();
  }
}

test("a Date of a class of its own is read as that class reads it, and stays the same instant", async () => {
  await using db = openPool();
  const date = new InTokyo(Date.UTC(2026, 4, 6, 20, 30));
  const { rows } = await db.query("select $1::timestamptz as at, $2::timestamp::text as local", [date, date]);
  expect(rows).toEqual([{ at: new Date(date.getTime()), local: "2026-05-07 05:30:00" }]);
});
