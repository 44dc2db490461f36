/** Side by side with pg.Pool: what differs is printed, and fails. */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { WarmPool } from "../src/entry/pool.ts";
import { urlAt } from "./core/databases.ts";

type Pool = pg.Pool;
const show = (e: any) => (e === undefined ? undefined : { name: e.name, message: e.message, code: e.code, keys: undefined });
const tell = async (p: any) => {
  try {
    const r = await p;
    return Array.isArray(r) ? r.map((x) => [x.command, x.rowCount, x.rows]) : r && typeof r === "object" && "rows" in r ? [r.command, r.rowCount, r.rows] : r;
  } catch (e) {
    return show(e);
  }
};
const timeout = <T>(p: Promise<T>, ms = 4000): Promise<T | string> => Promise.race([p, delay(ms).then(() => "TIMED OUT")]);



class CopyIn {
  connection: any; chunks: string[]; cb: any; out: Promise<any>; #ok: any; #no: any; text: string; rowCount = 0;
  constructor(text: string, chunks: string[]) { this.text = text; this.chunks = chunks; this.out = new Promise((a, b) => { this.#ok = a; this.#no = b; }); }
  submit(connection: any) { this.connection = connection; connection.query(this.text); }
  handleCopyInResponse(connection: any) { for (const c of this.chunks) connection.sendCopyFromChunk(Buffer.from(c)); connection.endCopyFrom(); }
  handleCommandComplete(m: any) { this.rowCount = Number(/\d+$/.exec(m.text)?.[0]); }
  handleReadyForQuery() { this.#ok(this.rowCount); }
  handleError(e: any) { this.#no(e); }
}
class CopyOut {
  data = ""; out: Promise<any>; #ok: any; #no: any; text: string;
  constructor(text: string) { this.text = text; this.out = new Promise((a, b) => { this.#ok = a; this.#no = b; }); }
  submit(connection: any) { connection.query(this.text); }
  handleCopyData(m: any) { this.data += m.chunk.toString(); }
  handleCommandComplete() {}
  handleReadyForQuery() { this.#ok(this.data); }
  handleError(e: any) { this.#no(e); }
}
const cases: Record<string, (pool: Pool) => Promise<unknown>> = {
  async "deferred constraints"(pool) {
    await pool.query("drop table if exists zf; drop table if exists zp; create table zp (id int primary key); create table zf (id int references zp deferrable initially deferred)");
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("insert into zf values ($1) returning id", [7])));
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("insert into zf values (8) returning id")));
    const c = await pool.connect();
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("insert into zf values ($1) returning id", [7])));
    await c.query("begin");
    out.push(await tell(c.query("insert into zf values ($1)", [7])));
    out.push(await tell(c.query("commit")));
    c.release();
    out.push(await tell(pool.query("select count(*)::int as n from zf")));
    return out;
  },
  async "unhandled rejections are as many"(pool) {
    const unhandled: any[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (e: any) => unhandled.push(e.message));
    void pool.query("select 1/$1::int", [0]);
    void pool.query("select 1/0");
    await delay(50);
    const c = await pool.connect();
    void c.query("select 1/$1::int", [0]);
    void c.query("selec");
    void c.query("select 1/$1::int", [0]);
    await delay(50);
    c.release();
    process.removeAllListeners("unhandledRejection");
    for (const o of others) process.on("unhandledRejection", o as any);
    return unhandled;
  },
  async "copy in and out on a client between others"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zc (n int)");
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    const before = c.query("select $1::int as n", [41]);
    const copy = c.query(new CopyIn("copy zc from stdin", ["1\n2\n", "3\n"]) as never) as any;
    const behind = c.query("select count(*)::int as n, $1::int as m from zc", [42]);
    out.push(await tell(before), await timeout(tell(copy.out)), await timeout(tell(behind)));
    const cout = c.query(new CopyOut("copy zc to stdout") as never) as any;
    out.push(await timeout(tell(cout.out)));
    const bad = c.query(new CopyIn("copy zc from stdin", ["x\n"]) as never) as any;
    out.push(await timeout(tell(bad.out)), await timeout(tell(c.query("select $1::int as n", [9]))));
    await c.query("drop table zc");
    c.release();
    return out;
  },
  async "pg.Query with row events"(pool) {
    const c = await pool.connect();
    const out: any[] = [];
    for (let i = 0; i < 3; i++) await c.query("select $1::int as n", [i]);
    for (let i = 0; i < 2; i++)
      out.push(
        await timeout(
          new Promise((done) => {
            const q = new pg.Query("select generate_series(1,$1::int) as n", [3]) as any;
            const rows: any[] = [];
            q.on("row", (r: any) => rows.push(r.n));
            q.on("end", (r: any) => done([rows, r.rows.length, r.command]));
            q.on("error", (e: any) => done(String(e)));
            const returned = c.query(q) as any;
            out.push(returned === q);
          }),
        ),
      );
    c.release();
    const viaPool = new pg.Query("select 1 as n") as any;
    out.push(await timeout(tell((pool as any).query(viaPool)), 500));
    return out;
  },
  async "two on one client of the same name with other texts, unawaited"(pool) {
    const c = await pool.connect();
    const out = await Promise.all([c.query({ name: "a", text: "select 1 as n" }), c.query({ name: "a", text: "select 2 as n" }), c.query("select $1::int as n", [1])].map((p) => timeout(tell(p))));
    c.release(true);
    return out;
  },
  async "raise notice and errors in multi-statement scripts"(pool) {
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("do $$ begin raise notice 'x'; end $$; select 1 as a; do $$ begin raise exception 'y'; end $$; select 2")));
    return out;
  },
  async "prepared transactions, savepoints by pool.query with values"(pool) {
    return [await tell(pool.query({ text: "savepoint a", queryMode: "extended" } as never)), await tell(pool.query({ text: "prepare transaction 'x'", queryMode: "extended" } as never)), await tell(pool.query("select 1 as n"))];
  },
  async "explain analyze, show, fetch, call with values"(pool) {
    await pool.query("create or replace procedure zproc(inout n int) language plpgsql as 'begin n := n + 1; commit; end'");
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("call zproc($1)", [i])), await tell(pool.query("call zproc(5)")), await tell(pool.query("show server_version_num")), await tell(pool.query("explain (costs off) select $1::int", [1])));
    return out;
  },
  async "temp table and currval stay with max 1"(pool) {
    const out: any[] = [];
    await pool.query("create temp table ztt (id serial, n int)");
    for (let i = 0; i < 4; i++) out.push(await tell(pool.query("insert into ztt (n) values ($1)", [i])), await tell(pool.query("select lastval()::int as l")), await tell(pool.query("select currval($1)::int as l", ["ztt_id_seq"])));
    await pool.query("drop table ztt");
    return out;
  },
  async "set local statement_timeout, lock_timeout"(pool) {
    const c = await pool.connect();
    const out: any[] = [];
    await c.query("set statement_timeout = 50");
    for (let i = 0; i < 4; i++) out.push(await tell(c.query("select pg_sleep($1)", [0.2])), await tell(c.query("select $1::int as n", [i])));
    await c.query("reset statement_timeout");
    c.release();
    return out;
  },
  async "prepare and execute of the caller's own"(pool) {
    const c = await pool.connect();
    await c.query("prepare zq (int) as select $1 as n");
    const out = [await tell(c.query("execute zq (5)")), await tell(c.query("execute zq ($1)", [5])), await tell(c.query("deallocate zq"))];
    c.release();
    return out;
  },
  async "error in the middle of unawaited transaction on a client"(pool) {
    await pool.query("create table if not exists zz (n int primary key); truncate zz");
    const c = await pool.connect();
    const ps = [c.query("begin"), c.query("insert into zz values ($1)", [1]), c.query("insert into zz values ($1::int/0)", [1]), c.query("insert into zz values ($1)", [3]), c.query("commit")];
    const out = await Promise.all(ps.map((p) => timeout(tell(p))));
    c.release();
    return [out, await tell(pool.query("select * from zz"))];
  },
  async "commit chain, autocommit behind, mixed with value queries at once"(pool) {
    await pool.query("drop table if exists zz; create table zz (n int)");
    const c = await pool.connect();
    for (let i = 0; i < 4; i++) await c.query("insert into zz values ($1)", [i]);
    const ps: Promise<any>[] = [];
    for (let i = 10; i < 40; i += 4) ps.push(c.query("insert into zz values ($1)", [i]), c.query("begin"), c.query("insert into zz values ($1)", [i + 1]), c.query(i % 8 ? "commit" : "rollback"), c.query("insert into zz values ($1) returning n", [i + 2]));
    const out = await Promise.all(ps.map((p) => timeout(tell(p))));
    c.release();
    return [out, await tell(pool.query("select n from zz"))];
  },
  async "a client given back while a value query is on its way, next holder"(pool) {
    const c = await pool.connect();
    for (let i = 0; i < 4; i++) await c.query("select $1::int as n", [i]);
    const p = c.query("select pg_sleep(0.1), $1::int as n", [1]).then((r) => r.rows[0].n, String);
    c.release();
    const q = pool.query("select $1::int as n", [2]).then((r) => r.rows[0].n, String);
    return [await timeout(p), await timeout(q)];
  },
  async "parameter types that change by cast"(pool) {
    const out: any[] = [];
    for (const v of [1, "2", 3n, true, "x", null, 1.5]) out.push(await tell(pool.query("select $1 as v", [v])), await tell(pool.query("select $1::int as v", [v])));
    return out;
  },
  async "json of big and unicode"(pool) {
    const t = "\u{1F600}é\u0001".repeat(100000);
    const r = await pool.query("select $1::text as t, $2::jsonb as j", [t, JSON.stringify({ t: "é".repeat(1000) })]);
    return [r.rows[0].t === t, r.rows[0].j.t.length];
  },
  async "many columns and many rows"(pool) {
    const cols = Array.from({ length: 1600 }, (_, i) => `${i} as c${i}`).join(",");
    const r = await pool.query(`select ${cols}, $1::int as z`.replace("0 as c0,", ""), [1]);
    const m = await pool.query("select generate_series(1,$1::int) as n", [200000]);
    return [Object.keys(r.rows[0]).length, m.rows.length, m.rows[199999]];
  },
};
const open = {
  pg: () => new pg.Pool({ connectionString: urlAt(), max: 1, application_name: "warmline" }),
  warm: () => new WarmPool({ url: urlAt(), max: 1 }) as unknown as Pool,
  plain: () => new WarmPool({ url: urlAt(), max: 1, prepare: false, pipelining: false }) as unknown as Pool,
};
async function run(make: () => Pool, f: (pool: Pool) => Promise<unknown>) {
  const pool = make();
  pool.on("error", () => {});
  let r: unknown;
  try {
    r = await f(pool);
  } catch (e) {
    r = ["case threw", show(e)];
  }
  if (!pool.ending) await Promise.race([pool.end(), delay(2000)]);
  return r;
}
test.each(Object.keys(cases))("%s", async (name) => {
  const f = cases[name] as (pool: Pool) => Promise<unknown>;
  const wanted = await run(open.pg, f);
  const given = await run(open.warm, f);
  if (process.env.SHOW) console.log(name, JSON.stringify(wanted));
  expect(given).toEqual(wanted);
});
