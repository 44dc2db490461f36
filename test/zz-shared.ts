/** Calls at once on shared connections: own rows, true fates, whatever happens in between. */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, inject, test } from "vitest";
import { sharedPool, WarmPool } from "../src/entry/pool.ts";
import { openDirect, openPool, urlAt } from "./core/databases.ts";
import { startWire } from "./support/wire.ts";

async function warmed(db: any, text: string, values: (n: number) => unknown[], times = 200) {
  for (let n = 0; n < times; n++) await db.query(text, values(n));
}
const fateOf = (e: any) => e.fate;

test("writes with aborts, DDL, deallocate, kills and cuts: fates are true, rows are own", async () => {
  const direct = await openDirect();
  const t = `zz_${randomUUID().slice(0, 8)}`;
  await direct.query(`create table ${t} (id int primary key, v text)`);
  await using wire = await startWire(inject("postgres") as never, { delayMs: Number(process.env.DELAY_MS ?? 0) });
  const name = randomUUID();
  const options = { url: urlAt(wire), transport: "pool", name, max: 3, deadlineMs: 20_000 } as const;
  const db = openPool({ ...options });
  const pool = sharedPool(options as never);
  pool.on("error", () => {});
  const ins = `insert into ${t} (id, v) values ($1, $2) returning id, v`;
  const sel = "select $1::int as n, $2::text as v";
  await warmed(db, ins, (n) => [-n - 1, "w"]);
  await warmed(db, sel, (n) => [n, "w"]);
  const told = new Map<number, string>();
  const wrong: string[] = [];
  let next = 0;
  let stop = false;
  const codes: Record<string, number> = {};
  const worker = async (w: number) => {
    while (!stop) {
      const id = next++;
      const controller = new AbortController();
      if (id % 7 === 0) setTimeout(() => controller.abort(), Math.random() * 4);
      const viaPool = id % 3 === 0;
      const isWrite = id % 2 === 0;
      const text = isWrite ? ins : sel;
      try {
        const r: any = viaPool ? await pool.query(text, [id, `v${id}`]) : await db.query(text, [id, `v${id}`], id % 7 === 0 ? { signal: controller.signal } : {});
        if (isWrite) {
          told.set(id, "applied");
          if (r.rows.length !== 1 || r.rows[0].id !== id || r.rows[0].v !== `v${id}`) wrong.push(`${id}: ${JSON.stringify(r.rows)}`);
        } else if (r.rows.length !== 1 || r.rows[0].n !== id || r.rows[0].v !== `v${id}`) wrong.push(`${id}: ${JSON.stringify(r.rows)}`);
      } catch (e: any) {
        const k = `${viaPool ? "pool" : "db"} ${isWrite ? "write" : "read"} ${e.code} ${e.fate} ${e.message.slice(0, 50)}`;
        codes[k] = (codes[k] ?? 0) + 1;
        if (e.fate === undefined) wrong.push(`no fate: ${e.stack}`);
        if (isWrite) told.set(id, fateOf(e));
      }
      if (w % 5 === 0) await delay(1);
    }
  };
  const workers = Array.from({ length: 30 }, (_, w) => worker(w));
  const until = Date.now() + 12_000;
  let round = 0;
  while (Date.now() < until) {
    await delay(150);
    round++;
    switch (round % 6) {
      case 0: await direct.query(`alter table ${t} add column c${round} int`); break;
      case 1: await pool.query("deallocate all").catch(() => {}); break;
      case 2: await direct.query("select pg_terminate_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid() limit 1", [`%${t}%`]); break;
      case 3: wire.cut(); break;
      case 4: await direct.query("select pg_cancel_backend(pid) from pg_stat_activity where query like $1 and pid <> pg_backend_pid()", [`%${t}%`]); break;
      case 5: {
        const c = await pool.connect().catch(() => undefined);
        if (c) { c.on("error", () => {}); await c.query("begin").then(() => c.query(ins, [1e9 + round, "tx"])).then(() => c.query("rollback")).catch(() => {}); c.release(); }
        break;
      }
    }
  }
  stop = true;
  await Promise.all(workers);
  const there = new Set((await direct.query(`select id from ${t} where id >= 0`)).rows.map((r) => r.id));
  const lies: string[] = [];
  for (const [id, fate] of told) {
    if (fate === "applied" && !there.has(id)) lies.push(`${id} applied, not there`);
    if ((fate === "refused" || fate === "not-sent") && there.has(id)) lies.push(`${id} ${fate}, there`);
  }
  for (const id of there) if (id >= 1e9) lies.push(`rolled back row ${id}`);
  console.log(next, "calls", db.stats(), codes);
  await pool.end();
  await db.close();
  await direct.query(`drop table ${t}`);
  await direct.end();
  expect({ wrong: wrong.slice(0, 5), lies: lies.slice(0, 5) }).toEqual({ wrong: [], lies: [] });
});

test("a subscriber that throws, in the middle of shared calls", async () => {
  const uncaught: string[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (e) => uncaught.push(String(e)));
  const db = openPool({ max: 1 });
  await warmed(db, "select $1::int as n", (n) => [n]);
  const off = db.subscribe(() => {
    throw new Error("listener");
  });
  const out = await Promise.all(Array.from({ length: 20 }, (_, n) => db.query<{ n: number }>("select $1::int as n", [n]).then((r) => r.rows[0]?.n)));
  off?.();
  await db.close();
  await delay(50);
  process.removeAllListeners("uncaughtException");
  for (const l of listeners) process.on("uncaughtException", l);
  console.log("uncaught", new Set(uncaught), uncaught.length);
  expect(out).toEqual(Array.from({ length: 20 }, (_, n) => n));
});

test("context: each call goes on in its own, also listeners of a shared pool and callbacks", async () => {
  const storage = new AsyncLocalStorage<number>();
  const name = randomUUID();
  const options = { url: urlAt(), transport: "pool", name, max: 1 } as const;
  const pool = sharedPool(options as never);
  const db = openPool(options);
  await warmed(db, "select $1::int as n", (n) => [n]);
  const seen: string[] = [];
  db.subscribe((e: any) => {
    if (e.type === "query") seen.push(`${storage.getStore()}`);
  });
  const out = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      storage.run(n, () =>
        n % 2
          ? new Promise<number>((done) => pool.query("select $1::int as n", [n], () => done(storage.getStore() as number)) as never)
          : db.query("select $1::int as n", [n]).then(() => storage.getStore()),
      ),
    ),
  );
  console.log("query listeners' contexts", seen.join(","));
  expect(out).toEqual(Array.from({ length: 20 }, (_, n) => n));
  await db.close();
  await pool.end();
});

test("idle timeout shorter than sharing, held for longer than it", async () => {
  const db = openPool({ max: 2, idleTimeoutMs: 30 });
  await warmed(db, "select $1::int as n", (n) => [n]);
  const errors: unknown[] = [];
  const held = db.session(async (s: any) => {
    await delay(200);
    return (await s.query("select 1 as n")).rows;
  });
  const until = Date.now() + 1500;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      while (Date.now() < until) {
        const n = Math.floor(Math.random() * 1e6);
        await db.query<any>("select $1::int as n", [n]).then((r) => r.rows[0].n === n || errors.push([n, r.rows]), (e) => errors.push(e));
        if (Math.random() < 0.05) await delay(60);
      }
    }),
  );
  expect(await held).toEqual([{ n: 1 }]);
  expect(errors.slice(0, 3)).toEqual([]);
  await delay(100);
  expect(db.stats().total).toBe(0);
  await db.close();
});

test("close in the middle of shared calls: who came before is served, who comes after is refused", async () => {
  const db = openPool({ max: 1 });
  await warmed(db, "select $1::int as n", (n) => [n]);
  const before = Array.from({ length: 40 }, (_, n) => db.query<any>("select $1::int as n", [n]).then((r) => r.rows[0].n, (e) => `${e.code}/${e.fate}`));
  await delay(0);
  const closed = db.close();
  const after = Array.from({ length: 5 }, (_, n) => db.query<any>("select $1::int as n", [n]).then((r) => r.rows[0].n, (e) => `${e.code}/${e.fate}`));
  expect(await Promise.all(before)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  expect(new Set(await Promise.all(after))).toEqual(new Set(["CLOSED/not-sent"]));
  await closed;
});

test("a tracer that wraps callbacks and whose wrapper throws", async () => {
  const original = pg.Client.prototype.query;
  const uncaught: string[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (e) => uncaught.push(String(e)));
  const spans: string[] = [];
  pg.Client.prototype.query = function (this: any, ...args: any[]) {
    const last = args.length - 1;
    if (typeof args[last] === "function") {
      const cb = args[last];
      args[last] = (...told: any[]) => {
        spans.push("end");
        const r = cb(...told);
        if (spans.length % 5 === 0) throw new Error("tracer");
        return r;
      };
    }
    return Reflect.apply(original, this, args);
  } as never;
  try {
    const name = randomUUID();
    const options = { url: urlAt(), transport: "pool", name, max: 1 } as const;
    const pool = sharedPool(options as never);
    const db = openPool(options);
    for (let n = 0; n < 200; n++) await db.query("select $1::int as n", [n]);
    const out = await Promise.all(
      Array.from({ length: 60 }, (_, n) => Promise.race([delay(4000, "hung"), (n % 2 ? pool.query("select $1::int as n", [n]) : (db.query("select $1::int as n", [n]) as any)).then((r: any) => r.rows[0].n, String)])),
    );
    expect(out).toEqual(Array.from({ length: 60 }, (_, n) => n));
    await pool.end();
    await db.close();
  } finally {
    pg.Client.prototype.query = original;
    await delay(20);
    process.removeAllListeners("uncaughtException");
    for (const l of listeners) process.on("uncaughtException", l);
    console.log("spans", spans.length, new Set(uncaught));
  }
});

test("fairness: a text that cannot share is not starved by those that can; FIFO", async () => {
  const db = openPool({ max: 2 });
  await warmed(db, "select $1::int as n", (n) => [n]);
  let stop = false;
  const load = Array.from({ length: 30 }, async () => {
    while (!stop) await db.query("select $1::int as n", [1]);
  });
  await delay(100);
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) {
    const at = performance.now();
    await db.query(`select ${i} as never_seen_${i}`);
    waits.push(performance.now() - at);
  }
  for (let i = 0; i < 10; i++) {
    const at = performance.now();
    await db.transaction(async (tx) => tx.query("select 1"));
    waits.push(performance.now() - at);
  }
  stop = true;
  await Promise.all(load);
  console.log("waits", waits.map((w) => w.toFixed(1)).join(" "));
  expect(Math.max(...waits)).toBeLessThan(2000);
  await db.close();
});

test("maxWaiting and the queue with clients held", async () => {
  const pool = new WarmPool({ url: urlAt(), max: 1, maxWaiting: 3 }) as any;
  const c = await pool.connect();
  const out = await Promise.all(
    Array.from({ length: 6 }, (_, n) => {
      if (n === 5) setTimeout(() => c.release(), 20);
      return pool.query("select $1::int as n", [n]).then((r: any) => r.rows[0].n, (e: any) => `${e.code}/${e.fate}`);
    }),
  );
  expect(out).toEqual([0, 1, 2, "QUEUE_FULL/not-sent", "QUEUE_FULL/not-sent", "QUEUE_FULL/not-sent"]);
  await pool.end();
});

test("FIFO: what waits is served in order, sharing or not", async () => {
  const pool = new WarmPool({ url: urlAt(), max: 1 }) as any;
  for (let n = 0; n < 200; n++) await pool.query("select $1::int as n", [n]);
  const c = await pool.connect();
  const order: number[] = [];
  const ps = Array.from({ length: 30 }, (_, n) => pool.query(n % 4 === 0 ? `select $1::int as other_${n}` : "select $1::int as n", [n]).then(() => order.push(n)));
  c.release();
  await Promise.all(ps);
  await pool.end();
  expect(order).toEqual(Array.from({ length: 30 }, (_, n) => n));
});
