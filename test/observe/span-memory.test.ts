import { expect, test } from "vitest";
import { queryShape } from "../../src/observe/query-shape.ts";
import { heldBytes } from "../support/heap.ts";

const MB = 2 ** 20;

/** Texts no two of which are alike, by how long they are and what they are pieces of. */
const kinds: readonly (readonly [title: string, times: number, text: (count: number) => string])[] = [
  ["long ones", 200, (count) => `select ${count} from ${"t".repeat(MB)}`],
  ["as long as is looked at", 3_000, (count) => `select a${count} from ${"t".repeat(19_000)}`],
  ["short ones", 100_000, (count) => `select a${count} from t${count} where id = ${count}`],
  ["pieces of long ones", 200, (count) => `select a${count} from t${"x".repeat(MB)}`.slice(0, 40)],
  ["words that are pieces of long ones", 200, (count) => `a${count}_${"x".repeat(MB)}`.slice(0, 40)],
];

test.each(kinds)("remembers no more than a few megabytes of spans' texts: %s", (_, times, text) => {
  const before = heldBytes();
  const kept: string[] = [];
  for (let count = 0; count < times; count++) {
    const { summary } = queryShape(text(count));
    // an exporter may keep it for a while
    if (times < 1_000) kept.push(summary ?? "");
  }
  expect(heldBytes() - before).toBeLessThan(16 * MB);
  expect(kept.length % 100).toBe(0);
});
