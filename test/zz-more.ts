import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import tls from "node:tls";
import pg from "pg";
import { afterEach, expect, inject, test, vi } from "vitest";
import { sharedPool, WarmPool } from "../src/entry/pool.ts";
import { openDirect, openPool, urlAt } from "./core/databases.ts";
import { pause, stopWallClock } from "./core/pool/passing-time.ts";
import { openRequest } from "./core/request/open-request.ts";
import { runRequest } from "./faults/subjects/request-database.ts";
import { startTlsServer } from "./faults/middles/tls-server.ts";
import { heldBytes } from "./support/heap.ts";
import { startPgBouncer } from "./support/pgbouncer.ts";
import { startWire } from "./support/wire.ts";

afterEach(() => vi.restoreAllMocks());
const within = (p: Promise<any>, ms = 5000) => Promise.race([p.then((r) => r?.rows ?? r, (e) => `${e.name} ${e.code} ${e.fate} ${e.message}`), delay(ms, "HUNG")]);

test("tracer throws behind what it passed on: db.query's rejection", async () => {
  const original = pg.Client.prototype.query;
  let arm = false;
  const db = openPool({ max: 1 });
  const direct = await openDirect();
  await direct.query("create table if not exists zt (n int); truncate zt");
  pg.Client.prototype.query = function (this: any, ...args: any[]) {
    const r = Reflect.apply(original, this, args);
    if (arm) {
      arm = false;
      throw new Error("tracer");
    }
    return r;
  } as never;
  try {
    for (let n = 0; n < 3; n++) await db.query("insert into zt values ($1)", [n]);
    arm = true;
    const told = await within(db.query("insert into zt values ($1)", [100]));
    await delay(50);
    const there = (await direct.query("select 1 from zt where n = 100")).rowCount;
    console.log("told", told, "there", there);
    arm = true;
    const told2 = await within(db.transaction(async (tx) => tx.query("insert into zt values ($1)", [101])));
    console.log("transaction told", told2, (await direct.query("select 1 from zt where n = 101")).rowCount, db.stats());
    console.log(await within(db.query("select 1 as n")));
  } finally {
    pg.Client.prototype.query = original;
    await Promise.race([db.close(), delay(2000)]);
    await direct.end();
  }
});

/** As pg-cursor does it. */
class Cursor {
  connection: any; callback: any; rows: any[] = []; done: any; name = ""; text: string; values: any[]; _result = { rows: [] }; state = "initialized"; wait: any[] = [];
  constructor(text: string, values: any[]) { this.text = text; this.values = values; }
  submit(connection: any) {
    this.connection = connection;
    connection.parse({ text: this.text }, true);
    connection.bind({ portal: "zcur", values: this.values }, true);
    connection.describe({ type: "P", name: "zcur" }, true);
    connection.flush();
    connection.once("portalSuspended", this.#suspended);
  }
  #suspended = () => { const d = this.done; const rows = this.rows; this.rows = []; this.done = undefined; d?.(rows); };
  handleRowDescription() { this.state = "idle"; const w = this.wait.shift(); w?.(); }
  handleDataRow(m: any) { this.rows.push(m.fields[0]); }
  handlePortalSuspended() { this.#suspended(); }
  handleCommandComplete() { this.connection.sync(); }
  handleReadyForQuery() { this.connection.removeListener("portalSuspended", this.#suspended); this.state = "done"; this.#suspended(); }
  handleError(e: any) { this.connection?.removeListener("portalSuspended", this.#suspended); this.done?.(e); }
  handleEmptyQuery() { this.connection.sync(); }
  read(n: number) {
    return new Promise<any>((resolve) => {
      const go = () => { this.done = resolve; this.connection.execute({ portal: "zcur", rows: n }, true); this.connection.flush(); };
      if (this.state === "initialized") this.wait.push(go); else go();
    });
  }
  close() { this.connection.close({ type: "P", name: "zcur" }); this.connection.sync(); return new Promise<void>((r) => { this.done = () => r(); }); }
}

test("a cursor on a client, between statements that go by the link", async () => {
  const pool = new WarmPool({ url: urlAt(), max: 1 }) as unknown as pg.Pool;
  const c = await pool.connect();
  for (let n = 0; n < 4; n++) await c.query("select $1::int as n", [n]);
  for (const inTransaction of [false, true]) {
    if (inTransaction) await c.query("begin");
    const link = c.query("select $1::int as n", [9]);
    const cursor = c.query(new Cursor("select generate_series(1, $1::int)", ["10"]) as never) as unknown as Cursor;
    const behind = c.query("select $1::int as n", [5]);
    expect(await within(cursor.read(3))).toEqual(["1", "2", "3"]);
    expect(await within(cursor.read(3))).toEqual(["4", "5", "6"]);
    await within(cursor.close());
    expect(await within(link)).toEqual([{ n: 9 }]);
    expect(await within(behind)).toEqual([{ n: 5 }]);
    if (inTransaction) await c.query("commit");
  }
  c.release();
  await pool.end();
});

test("a freeze while shared, held and waiting", async () => {
  stopWallClock();
  const db = openPool({ max: 2, lifetimeMs: 60_000, idleTimeoutMs: 50 });
  for (let n = 0; n < 200; n++) await db.query("select $1::int as n", [n]);
  let stop = false;
  const wrong: unknown[] = [];
  const load = Array.from({ length: 20 }, async (_, w) => {
    while (!stop) {
      const n = Math.floor(Math.random() * 1e9);
      await db.query<any>("select $1::int as n", [n]).then((r) => r.rows[0].n === n || wrong.push(r.rows), (e) => wrong.push(String(e)));
      if (w > 15) await delay(Math.random() * 100);
    }
  });
  for (let i = 0; i < 20; i++) {
    await delay(50);
    pause(i % 2 ? 3_600_000 : 50_000);
  }
  stop = true;
  expect(await Promise.race([Promise.all(load).then(() => "done"), delay(5000, "HUNG")])).toBe("done");
  expect(wrong).toEqual([]);
  await db.close();
});

test("memory: queries in pg's manner, errors, aborts, callbacks", async () => {
  const name = randomUUID();
  const options = { url: urlAt(), transport: "pool", name, max: 2 } as const;
  const pool = sharedPool(options as never);
  const db = openPool(options);
  const held = await pool.connect();
  const round = async (k: number) => {
    for (let b = 0; b < k; b++) {
      const ps: Promise<unknown>[] = [];
      for (let i = 0; i < 20; i++) {
        ps.push(pool.query("select $1::int as n", [i]));
        ps.push(pool.query("select 1/$1::int", [0]).catch(() => {}));
        ps.push(new Promise<void>((d) => pool.query("select 1 as one", () => d()) as never));
        const c = new AbortController();
        ps.push(db.query("select $1::int as n", [i], { signal: c.signal }).catch(() => {}));
        if (i % 4 === 0) c.abort();
        ps.push(pool.query({ name: `nn${b}_${i}`, text: `select ${b * 20 + i} as n` }).catch(() => {}));
        ps.push(held.query("select $1::int as n", [i]).catch(() => {}));
        ps.push(held.query("selec", [i]).catch(() => {}));
      }
      await Promise.all(ps);
    }
  };
  await round(150);
  const a = heldBytes();
  await round(150);
  const b = heldBytes();
  await round(300);
  const c = heldBytes();
  console.log("heap", (a / 1e6).toFixed(2), (b / 1e6).toFixed(2), (c / 1e6).toFixed(2), db.stats());
  expect(c - b).toBeLessThan(1_500_000);
  held.release();
  await pool.end();
  await db.close();
});

test("early statement, in pg's manner: at once, with errors, callbacks, cut logins", async () => {
  const trusted = tls.getCACertificates("default");
  const caFile = readFileSync(new URL("./support/tls/ca.pem", import.meta.url), "utf8");
  await using wire = await startWire(inject("postgres") as never);
  const front = await startTlsServer({ host: "127.0.0.1", port: wire.port }, { https: false });
  const direct = await openDirect();
  await direct.query("create table if not exists zearly (n int); truncate zearly");
  const lies: string[] = [];
  const codes: Record<string, number> = {};
  let n = 0;
  for (let round = 0; round < 25; round++) {
    const pool = new WarmPool({ url: urlAt({ port: front.port } as never), max: 3, sslMode: "verify-full", ca: caFile, earlyStatement: true } as never) as unknown as pg.Pool;
    pool.on("error", () => {});
    if (round % 5 === 1) void wire.cutAt((m: any) => m.from === "server" && m.type === "Z");
    if (round % 5 === 2) void wire.cutAt((m: any) => m.from === "client" && m.type === "S", { passOn: true });
    if (round % 5 === 3) void wire.cutAt((m: any) => m.from === "server" && m.type === "R");
    const told = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const id = ++n;
        const r = i === 3 ? await within(pool.query("select 1/$1::int", [0]), 8000) : i === 5 ? await within(new Promise((ok, no) => pool.query("insert into zearly values ($1)", [id], (e, r) => (e ? no(e) : ok(r))) as never), 8000) : await within(pool.query("insert into zearly values ($1)", [id]), 8000);
        return [id, r, i] as const;
      }),
    );
    await delay(30);
    for (const [id, r, i] of told) {
      const key = typeof r === "string" ? r.slice(0, 70) : "ok";
      codes[key] = (codes[key] ?? 0) + 1;
      if (i === 3) continue;
      const { rowCount } = await direct.query("select 1 from zearly where n = $1", [id]);
      if (typeof r === "string" ? /not-sent|refused/.test(r) && rowCount : rowCount !== 1) lies.push(`${id} ${JSON.stringify(r)} ${rowCount}`);
      if ((rowCount ?? 0) > 1) lies.push(`${id} done ${rowCount} times`);
      if (r === "HUNG" || (typeof r === "string" && / undefined /.test(r.replace(/ undefined (unknown|refused|not-sent)/, "")))) lies.push(`${id} ${r}`);
    }
    await Promise.race([pool.end(), delay(2000)]);
  }
  console.log(codes);
  await front[Symbol.asyncDispose]();
  await direct.end();
  void trusted;
  expect(lies).toEqual([]);
});

test("in a request: a head that waits for a lock does not keep fast neighbours for good", async () => {
  const direct = await openDirect();
  await direct.query("create table if not exists zlock (id int primary key, n int); truncate zlock; insert into zlock values (1,0)");
  const db = openRequest({ deadlineMs: 5000 });
  const up = "update zlock set n = n + 1 where id = $1";
  const look = "select $1::int as n";
  await runRequest(db, async () => {
    for (let n = 0; n < 200; n++) {
      await db.query(up, [2]);
      await db.query(look, [n]);
    }
    const held = Promise.withResolvers<void>();
    const at = performance.now();
    const tx = db.transaction(async (t) => {
      await t.query("update zlock set n = 5 where id = 1");
      held.resolve();
      await seen.promise;
    });
    const seen = Promise.withResolvers<void>();
    await held.promise;
    const blocked = db.query(up, [1]).then(() => "ok", (e) => e.code);
    await delay(20);
    const third = db.query<any>(look, [1]).then((r) => (seen.resolve(), r.rows), (e) => (seen.resolve(), e.code));
    console.log("request", await third, await blocked, await tx.catch((e) => e.code), `${(performance.now() - at).toFixed(0)} ms`);
  });
  const pooled = openPool({ deadlineMs: 5000, max: 5 });
  for (let n = 0; n < 200; n++) {
    await pooled.query(up, [2]);
    await pooled.query(look, [n]);
  }
  const held = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  const tx = pooled.transaction(async (t) => {
    await t.query("update zlock set n = 5 where id = 1");
    held.resolve();
    await seen.promise;
  });
  await held.promise;
  const blocked = pooled.query(up, [1]).then(() => "ok", (e) => e.code);
  await delay(20);
  const third = pooled.query<any>(look, [1]).then((r) => (seen.resolve(), r.rows), (e) => (seen.resolve(), e.code));
  console.log("pool", await third, await blocked, await tx.catch((e) => e.code));
  await pooled.close();
  await direct.end();
});

test("PgBouncer: queries in pg's manner at once, told and not told", async () => {
  const bouncer = await startPgBouncer(inject("postgres") as never).catch((e: unknown) => e as never);
  if (bouncer instanceof Error) return console.log("no pgbouncer", String(bouncer));
  for (const options of [{}, { target: "pgbouncer" }] as const) {
    const pool = new WarmPool({ url: urlAt(bouncer as never), max: 4, ...options } as never) as unknown as pg.Pool;
    pool.on("error", () => {});
    const wrong: unknown[] = [];
    await Promise.all(
      Array.from({ length: 30 }, async (_, w) => {
        for (let i = 0; i < 300; i++) {
          const n = w * 1000 + i;
          const how = i % 4;
          await (how === 3
            ? pool.connect().then(async (c) => { try { return await c.query("select $1::int as n", [n]); } finally { c.release(); } })
            : how === 2 ? pool.query({ name: "nm", text: "select $1::int as n", values: [n] }) : pool.query(how ? "select $1::int as n" : `select ${n} as n`, how ? [n] : undefined)
          ).then((r: any) => r.rows[0].n === n || wrong.push([n, r.rows]), (e: any) => wrong.push(String(e)));
        }
      }),
    );
    console.log(options, "wrong", wrong.length, wrong.slice(0, 3));
    await pool.end();
  }
  await (bouncer as any)[Symbol.asyncDispose]?.();
});
