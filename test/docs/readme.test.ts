import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

test("what the README tells of speed is what the last run measured", async () => {
  const told = /queries a second, 50 callers on ten connections \| pg ([\d,]+), postgres\.js ([\d,]+) \| \*\*([\d,]+)\*\*/.exec(
    await read("README.md"),
  );
  const row = /^\| 50 callers, ten connections \| queries\/s \| ([\d,]+) .*?pg ([\d,]+) .*?postgres\.js ([\d,]+) /m.exec(
    await read("bench/RESULTS.md"),
  );
  expect(told?.slice(1)).toEqual([row?.[2], row?.[3], row?.[1]]);
});
