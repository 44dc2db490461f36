import { inspect } from "node:util";
import { afterAll, describe, expect, inject, test } from "vitest";
import { createDatabase } from "../../src/entry/node.ts";
import { openPool, urlAt } from "../core/databases.ts";
import { read } from "./blocks.ts";

const rows = read("docs/types.md")
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.split(" | ").map((cell) => cell.replace(/^\| |^`|`$/g, "").replace(/^`/, "")))
  .map(([type = "", text = "", value = ""]) => ({ type, text, value }));

const pool = openPool({ max: 1 });
const http = createDatabase({ url: urlAt(), transport: "http", endpoint: inject("endpoint") });
afterAll(async () => {
  await Promise.all([pool.close(), http.close()]);
});

describe("what the page says a type becomes", () => {
  test("there are enough of them", () => {
    expect(rows.length).toBeGreaterThan(30);
  });

  test.each(rows)("$type", async ({ type, text, value }) => {
    for (const db of [pool, http]) {
      const { rows } = await db.query<{ readonly value: unknown }>(`select '${text.replaceAll("'", "''")}'::${type} as value`);
      const read = rows[0]?.value;
      expect(read instanceof Date ? "a `Date" : inspect(read)).toBe(value);
    }
  });
});
