import { randomUUID } from "node:crypto";
import { drizzle } from "drizzle-orm/node-postgres";
import { expect, test } from "vitest";
import { createDatabase, type DatabaseEvent } from "../../../src/entry/node.ts";
import { sharedPool } from "../../../src/entry/pool.ts";
import { urlAt } from "../databases.ts";

test("stats().reuses counts what came through sharedPool: by its queries, its clients and an ORM's transactions", async () => {
  const settings = { url: urlAt(), name: randomUUID(), max: 1 };
  await using db = createDatabase({ ...settings, transport: "pool" });
  const told: DatabaseEvent[] = [];
  db.subscribe((event) => event.type === "reuse" && told.push(event));
  const pool = sharedPool(settings);
  const uses = [
    // a handle that has not been used shares nothing yet
    () => db.query("select 1"),
    () => pool.query("select 1"),
    () => pool.query("select $1::int", [1]),
    async () => {
      const client = await pool.connect();
      await client.query("select 1");
      await client.query("select 2");
      client.release();
    },
    () => new Promise<void>((resolve) => pool.connect((_error, _client, release) => resolve(release()))),
    // which pg sends by itself
    () => pool.query({ text: "select generate_series(1, 5)", rows: 2 } as never),
    () => drizzle({ client: pool }).transaction(async (tx) => void (await tx.execute("select 1"))),
  ];
  for (const [index, use] of uses.entries()) {
    await use();
    expect(db.stats()).toMatchObject({ connects: 1, reuses: index });
  }
  expect(told).toHaveLength(uses.length - 1);
  await pool.end();
});
