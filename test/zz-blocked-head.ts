/** A head that waits for a lock: fast calls of others go behind it, though connections beside it turn over. */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { WarmPool } from "../src/entry/pool.ts";
import { openDirect, urlAt } from "./core/databases.ts";

async function longest(pool: pg.Pool) {
  const direct = await openDirect();
  await direct.query("create table if not exists zlock2 (id int primary key, n int); truncate zlock2; insert into zlock2 values (1,0)");
  const up = "update zlock2 set n = n + 1 where id = $1";
  const look = "select $1::int as n";
  for (let n = 0; n < 200; n++) {
    await pool.query(up, [2]);
    await pool.query(look, [n]);
  }
  let stop = false;
  let worst = 0;
  let calls = 0;
  let late = 0;
  const load = Array.from({ length: 12 }, async () => {
    while (!stop) {
      const at = performance.now();
      await pool.query(look, [1]);
      const ms = performance.now() - at;
      worst = Math.max(worst, ms);
      if (ms > 500) late++;
      calls++;
    }
  });
  await delay(100);
  await direct.query("begin; update zlock2 set n = 5 where id = 1");
  const blocked = pool.query(up, [1]);
  await delay(1500);
  await direct.query("commit");
  await blocked;
  await delay(100);
  stop = true;
  await Promise.all(load);
  await pool.end();
  await direct.end();
  return { worst: Math.round(worst), late, calls };
}

test("how long do fast calls wait while one of ten connections waits for a lock of 1.5 s", async () => {
  for (const max of [3, 10]) {
    console.log("pg", max, await longest(new pg.Pool({ connectionString: urlAt(), max })));
    const warm = await longest(new WarmPool({ url: urlAt(), max }) as unknown as pg.Pool);
    console.log("warm", max, warm);
    expect(warm.late).toBe(0);
  }
});
