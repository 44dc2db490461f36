import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createRepeatedLines, FOLD_MS } from "../../src/cli/repeated-lines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a loop that fails is told once, then by its count every ten seconds, and anew after a pause", () => {
  const told: string[] = [];
  const lines = createRepeatedLines((line) => told.push(line));
  const since = () => told.splice(0);
  for (let n = 1; n <= 42; n += 1) lines.tell("POST /sql 400", `12:00:00 POST /sql 400, ${n} ms`);
  lines.tell("POST /sql 500", "12:00:00 POST /sql 500, 1 ms");
  expect(since()).toEqual(["12:00:00 POST /sql 400, 1 ms", "12:00:00 POST /sql 500, 1 ms"]);
  vi.advanceTimersByTime(FOLD_MS);
  expect(since()).toEqual(["… 41 more in 10 s: POST /sql 400"]);
  lines.tell("POST /sql 400", "12:00:11 POST /sql 400, 1 ms");
  expect(since()).toEqual([]);
  vi.advanceTimersByTime(FOLD_MS);
  expect(since()).toEqual(["… 1 more in 10 s: POST /sql 400"]);
  vi.advanceTimersByTime(FOLD_MS);
  lines.tell("POST /sql 400", "12:00:40 POST /sql 400, 1 ms");
  lines.tell("POST /sql 400", "12:00:41 POST /sql 400, 1 ms");
  expect(since()).toEqual(["12:00:40 POST /sql 400, 1 ms"]);
  lines.end();
  expect(since()).toEqual(["… 1 more: POST /sql 400"]);
  expect(vi.getTimerCount()).toBe(0);
});
