import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { expect, inject, test } from "vitest";
import { WarmPool } from "../../../src/entry/pool.ts";

const open = () => new WarmPool({ connectionString: inject("postgres").url, max: 1 });

test("Drizzle takes a WarmPool for a pool, and its transactions and queries share the one connection", async () => {
  const pool = open();
  const db = drizzle(pool);
  const pid = sql`select pg_backend_pid() as pid`;
  const { rows } = await db.execute(pid);
  // what Drizzle takes for a single client it would begin on as it is, and never give back
  const inside = await db.transaction(async (tx) => (await tx.execute(pid)).rows);
  await expect(db.transaction((tx) => tx.execute(sql`select 1 / 0`))).rejects.toThrow();
  expect(inside).toEqual(rows);
  expect((await db.execute(pid)).rows).toEqual(rows);
  expect(pool.state.connects).toBe(1);
  expect(pool.idleCount).toBe(1);
  await pool.end();
});

test("Kysely's queries and transactions go over a WarmPool, and its values are the same the first time and by a name", async () => {
  const pool = open();
  const db = new Kysely<{ numbers: { n: number } }>({ dialect: new PostgresDialect({ pool }) });
  await db.schema.createTable("numbers").temporary().addColumn("n", "integer").execute();
  for (const n of [1, 2, 3, 4]) {
    expect(await db.insertInto("numbers").values({ n }).returning("n").execute()).toEqual([{ n }]);
    expect(await db.selectFrom("numbers").select("n").where("n", "=", n).execute()).toEqual([{ n }]);
  }
  const undone = db.transaction().execute(async (tx) => {
    await tx.deleteFrom("numbers").where("n", "<", 4).execute();
    throw new Error("stop");
  });
  await expect(undone).rejects.toThrow("stop");
  expect(await db.selectFrom("numbers").select("n").execute()).toHaveLength(4);
  expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
  await db.destroy();
});

test("a WarmPool is what other libraries look for: Prisma a pg.Pool, Drizzle a Pool by name, Kysely connect, end and options", async () => {
  const pool = open();
  expect(pool).toBeInstanceOf(pg.Pool);
  expect(pool.constructor.name).toContain("Pool");
  expect(pool).toMatchObject({ connect: expect.any(Function), end: expect.any(Function), options: { max: 1 } });
  await pool.end();
});
