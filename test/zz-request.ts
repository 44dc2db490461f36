import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { openDirect, urlAt } from "./core/databases.ts";
import { openRequest } from "./core/request/open-request.ts";
import { runRequest } from "./faults/subjects/request-database.ts";
import { startWire } from "./support/wire.ts";

test("requests at once, with aborts, DDL, kills, cuts and requests that end before their calls", async () => {
  const direct = await openDirect();
  const t = `zr_${randomUUID().slice(0, 8)}`;
  await direct.query(`create table ${t} (id int primary key, v text)`);
  await using wire = await startWire(inject("postgres") as never, { delayMs: Number(process.env.DELAY_MS ?? 0) });
  const db = openRequest({ url: urlAt(wire) });
  const storage = new AsyncLocalStorage<number>();
  const ins = `insert into ${t} (id, v) values ($1, $2) returning id, v`;
  const sel = "select $1::int as n, $2::text as v";
  await runRequest(db, async () => {
    for (let n = 0; n < 200; n++) {
      await db.query(ins, [-n - 1, "w"]);
      await db.query(sel, [n, "w"]);
    }
  });
  const told = new Map<number, string>();
  const wrong: string[] = [];
  const codes: Record<string, number> = {};
  let next = 0;
  let pending = 0;
  const call = (request: number) => {
    const id = next++;
    const controller = new AbortController();
    const aborts = id % 9 === 0;
    if (aborts) setTimeout(() => controller.abort(), Math.random() * 5);
    const isWrite = id % 2 === 0;
    pending++;
    return storage.run(id, async () => {
      try {
        const r: any = id % 31 === 0
          ? await db.transaction(async (tx) => tx.query(isWrite ? ins : sel, [id, `v${id}`]))
          : await db.query(isWrite ? ins : sel, [id, `v${id}`], aborts ? { signal: controller.signal } : {});
        if (storage.getStore() !== id) wrong.push(`context ${storage.getStore()} for ${id}`);
        if (isWrite) told.set(id, "applied");
        if (r.rows.length !== 1 || (r.rows[0].id ?? r.rows[0].n) !== id || r.rows[0].v !== `v${id}`) wrong.push(`${request} ${id}: ${JSON.stringify(r.rows)}`);
      } catch (e: any) {
        const k = `${isWrite ? "write" : "read"} ${e.code} ${e.fate} ${String(e.message).slice(0, 60)}`;
        codes[k] = (codes[k] ?? 0) + 1;
        if (e.fate === undefined) wrong.push(`no fate ${e.stack}`);
        if (isWrite) told.set(id, e.fate);
      } finally {
        pending--;
      }
    });
  };
  const until = Date.now() + 12_000;
  const chaos = (async () => {
    for (let round = 0; Date.now() < until; round++) {
      await delay(200);
      if (round % 4 === 0) await direct.query(`alter table ${t} add column c${round} int`);
      if (round % 4 === 1) await direct.query("select pg_terminate_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid() limit 1", [`%${t}%`]);
      if (round % 4 === 2) wire.cut();
      if (round % 4 === 3) await direct.query("select pg_cancel_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid()", [`%${t}%`]);
    }
  })();
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let r = 0; Date.now() < until; r++) {
        await runRequest(db, async () => {
          const calls = Array.from({ length: 20 }, () => call(r));
          if (r % 10 === 5) return;
          await Promise.all(calls);
          await Promise.all(Array.from({ length: 10 }, () => call(r)));
        });
      }
    }),
  );
  await chaos;
  for (let i = 0; i < 100 && pending > 0; i++) await delay(100);
  const there = new Set((await direct.query(`select id from ${t} where id >= 0`)).rows.map((r) => r.id));
  const lies: string[] = [];
  for (const [id, fate] of told) {
    if (fate === "applied" && !there.has(id)) lies.push(`${id} applied, not there`);
    if ((fate === "refused" || fate === "not-sent") && there.has(id)) lies.push(`${id} ${fate}, there`);
  }
  const left = (await direct.query("select count(*)::int as n from pg_stat_activity where query like $1 and pid <> pg_backend_pid()", [`%${t}%`])).rows[0].n;
  console.log(next, "calls", "pending", pending, "backends left", left, codes, db.stats());
  await db.close();
  await direct.query(`drop table ${t}`);
  await direct.end();
  expect({ wrong: wrong.slice(0, 5), lies: lies.slice(0, 5), pending }).toEqual({ wrong: [], lies: [], pending: 0 });
});
