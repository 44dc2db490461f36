import { expect, test } from "vitest";
import type { Database } from "../../../src/entry/node.ts";
import { heldBytes } from "../../support/heap.ts";
import { openPool } from "../databases.ts";

const MB = 2 ** 20;

/** Names the server keeps for one connection. */
const MOST_NAMES = 100;
/** Characters of a text: what is longer is not remembered anywhere. */
const LENGTH = 8_000;
/** Texts of which everything that has a bound is full, and those that follow: 20 MB of text. */
const FULL = 1_100;
const MANY = 2_500;

/** How texts are sent of which no two are alike. */
const ways: readonly (readonly [title: string, send: (db: Database, text: string) => Promise<unknown>])[] = [
  ["each once", (db, text) => db.query(text)],
  ["each twice, so that it gets a name", (db, text) => db.query(text).then(() => db.query(text))],
];

test.each(ways)("texts that do not come again are not kept, here or by the server: %s", async (_, send) => {
  await using db = openPool({ max: 1 });
  const filler = "x".repeat(LENGTH);
  let last = 0;
  const sendAll = async (count: number) => {
    const until = last + count;
    const caller = async () => {
      while (last < until) await send(db, `select 1 as a${++last} /* ${filler} */`);
    };
    await Promise.all(Array.from({ length: 5 }, caller));
  };
  await sendAll(FULL);
  const before = heldBytes();
  await sendAll(MANY);
  expect(heldBytes() - before).toBeLessThan(14 * MB);
  const { rows } = await db.query("select count(*)::int as names from pg_prepared_statements");
  expect(rows[0]?.names).toBeLessThanOrEqual(MOST_NAMES);
});
