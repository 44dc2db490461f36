/** Side by side with pg.Pool: what differs is printed, and fails. */
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { WarmPool } from "../src/entry/pool.ts";
import { openDirect, urlAt } from "./core/databases.ts";

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

const cases: Record<string, (pool: Pool) => Promise<unknown>> = {
  async "config.callback on a client"(pool) {
    const c = await pool.connect();
    const heard = await timeout(
      new Promise((resolve) => {
        const returned = (c as any).query({ text: "select $1::int as n", values: [1], callback: (e: any, r: any) => resolve([String(e), r?.rows]) });
        if (returned?.then) returned.then(() => setTimeout(resolve, 300, "returned a promise"));
      }),
      1000,
    );
    c.release();
    return heard;
  },
  async "config.callback on a pool"(pool) {
    return timeout(
      new Promise((resolve) => {
        const returned = (pool as any).query({ text: "select $1::int as n", values: [1], callback: (e: any, r: any) => resolve([String(e), r?.rows]) });
        returned?.then?.((r: any) => setTimeout(resolve, 300, ["promise", r.rows]));
      }),
      1000,
    );
  },
  async "stack shows who awaits: pool"(pool) {
    async function whoAsks() {
      return await pool.query("select 1/$1::int", [0]);
    }
    return whoAsks().catch((e) => /whoAsks/.test(e.stack));
  },
  async "stack shows who awaits: pool text"(pool) {
    async function whoAsks() {
      return await pool.query("select 1/0");
    }
    return whoAsks().catch((e) => /whoAsks/.test(e.stack));
  },
  async "stack shows who awaits: client"(pool) {
    const c = await pool.connect();
    async function whoAsks() {
      return await c.query("select 1/$1::int", [0]);
    }
    const r = await whoAsks().catch((e) => /whoAsks/.test(e.stack));
    c.release();
    return r;
  },
  async "unawaited queries then release"(pool) {
    await pool.query("create table if not exists zz (n int); truncate zz");
    const c = await pool.connect();
    const ps = [c.query("insert into zz values ($1)", [1]), c.query("insert into zz values ($1)", [2])];
    c.release();
    const out = await Promise.all(ps.map((p) => timeout(tell(p))));
    return [out, await tell(pool.query("select * from zz"))];
  },
  async "unawaited transaction then release"(pool) {
    await pool.query("create table if not exists zz (n int); truncate zz");
    const c = await pool.connect();
    const ps = [c.query("begin"), c.query("insert into zz values ($1)", [1]), c.query("commit")];
    c.release();
    const out = await Promise.all(ps.map((p) => timeout(tell(p))));
    return [out, await tell(pool.query("select * from zz"))];
  },
  async "awaited begin, unawaited rest, release"(pool) {
    await pool.query("create table if not exists zz (n int); truncate zz");
    const c = await pool.connect();
    await c.query("begin");
    await c.query("insert into zz values ($1)", [1]);
    const p = c.query("commit");
    c.release();
    return [await timeout(tell(p)), await tell(pool.query("select * from zz"))];
  },
  async "awaited begin, unawaited insert+commit, release"(pool) {
    await pool.query("create table if not exists zz (n int); truncate zz");
    const c = await pool.connect();
    await c.query("begin");
    const ps = [c.query("insert into zz values ($1)", [1]), c.query("commit")];
    c.release();
    return [await Promise.all(ps.map((p) => timeout(tell(p)))), await tell(pool.query("select * from zz"))];
  },
  async "name without text later (pool)"(pool) {
    await pool.query({ name: "nn", text: "select $1::int as n", values: [1] });
    return tell(pool.query({ name: "nn", values: [2] } as never));
  },
  async "name without text later (client)"(pool) {
    const c = await pool.connect();
    await c.query({ name: "nn", text: "select $1::int as n", values: [1] });
    const r = await tell(c.query({ name: "nn", values: [2] } as never));
    c.release();
    return r;
  },
  async "name by pool then by client, another text"(pool) {
    await pool.query({ name: "nm", text: "select 1 as n" });
    const c = await pool.connect();
    const r = await tell(c.query({ name: "nm", text: "select 2 as n" }));
    c.release();
    return r;
  },
  async "nul within a text"(pool) {
    return [await timeout(tell(pool.query("select $1::int as n\0 where false", [1]))), await timeout(tell(pool.query("select 1 as n")))];
  },
  async "nul within a bare text"(pool) {
    return [await timeout(tell(pool.query("select 1 as n\0; select 2"))), await timeout(tell(pool.query("select 1 as n")))];
  },
  async "65536 values"(pool) {
    return [await timeout(tell(pool.query("select 1 as n", Array(65536).fill("x")))), await timeout(tell(pool.query("select 1 as n")))];
  },
  async "65535 values"(pool) {
    const values = Array.from({ length: 65535 }, (_, i) => i);
    return timeout(tell(pool.query(`select ${values.map((i) => `$${i + 1}::int`).slice(-1)} as n, array_length(array[${values.map((i) => `$${i + 1}::int`)}],1) as l`, values)), 20000);
  },
  async "a wrong number of values"(pool) {
    return [await tell(pool.query("select $1::int", [1, 2])), await tell(pool.query("select $1::int, $2::int", [1]))];
  },
  async "a big text"(pool) {
    const t = "x".repeat(20_000_000);
    const r = await pool.query("select length($1::text) as l, $1::text as t", [t]);
    return [r.rows[0].l, r.rows[0].t === t];
  },
  async "drain on a client"(pool) {
    const c = await pool.connect();
    let n = 0;
    c.on("drain", () => n++);
    await c.query("select $1::int", [1]);
    await c.query("select 1");
    await delay(20);
    c.release();
    return n;
  },
  async "notice on a client"(pool) {
    const c = await pool.connect();
    const heard: string[] = [];
    c.on("notice", (n) => heard.push(String(n.message)));
    await c.query("create or replace function zz_notice(n int) returns int language plpgsql as $$ begin raise notice 'n %', n; return n; end $$");
    heard.length = 0;
    for (let i = 0; i < 4; i++) await c.query("select zz_notice($1)", [i]);
    c.release();
    return heard;
  },
  async "listen and notify on one client"(pool) {
    const c = await pool.connect();
    const heard: any[] = [];
    c.on("notification", (n) => heard.push([n.channel, n.payload]));
    await c.query("listen zz_c");
    await c.query("select pg_notify('zz_c', $1)", ["a"]);
    await c.query("select pg_notify($1, $2)", ["zz_c", "b"]);
    await delay(50);
    await c.query("unlisten *");
    c.release();
    return heard;
  },
  async "order on one client without await"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zo (id serial, n text)");
    const ps: Promise<any>[] = [];
    for (let i = 0; i < 30; i++) {
      ps.push(i % 3 === 0 ? c.query("insert into zo (n) values ($1)", [`v${i}`]) : i % 3 === 1 ? c.query(`insert into zo (n) values ('t${i}')`) : c.query({ name: "ins", text: "insert into zo (n) values ($1)", values: [`n${i}`] }));
    }
    await Promise.all(ps);
    const r = await tell(c.query("select n from zo order by id"));
    await c.query("drop table zo");
    c.release();
    return r;
  },
  async "values changed after the call"(pool) {
    const v = [1, [1, 2]] as any[];
    const p = pool.query("select $1::int as n, $2::int[] as l", v);
    v[0] = 2;
    v[1].push(3);
    return tell(p);
  },
  async "query after end"(pool) {
    await pool.end();
    return [await tell(pool.query("select 1")), await tell(pool.connect())];
  },
  async "end twice"(pool) {
    await pool.end();
    return tell(pool.end());
  },
  async "client after release with error"(pool) {
    const c = await pool.connect();
    c.release(new Error("x"));
    return timeout(tell(c.query("select 1")));
  },
  async "release twice"(pool) {
    const c = await pool.connect();
    c.release();
    try {
      c.release();
    } catch (e: any) {
      return e.message;
    }
    return "nothing thrown";
  },
  async "events of a query"(pool) {
    const heard: string[] = [];
    for (const n of ["connect", "acquire", "release", "remove", "error"] as const) pool.on(n as any, (...a: any[]) => heard.push(`${n}${a[0] instanceof Error ? " error" : ""}`));
    await pool.query("select $1::int", [1]);
    await pool.query("select 1");
    await delay(10);
    return heard;
  },
  async "release event of failing query"(pool) {
    const heard: string[] = [];
    for (const n of ["release", "remove", "error"] as const) pool.on(n as any, (...a: any[]) => heard.push(`${n} ${a[0] instanceof Error}`));
    await pool.query("select 1/0").catch(() => {});
    await delay(10);
    return heard;
  },
  async "a killed idle client: pool error"(pool) {
    const heard: string[] = [];
    pool.on("error", (e: any) => heard.push(`${e.code} ${e.message}`));
    const { rows } = await pool.query("select pg_backend_pid() as p");
    const d = await openDirect();
    await d.query("select pg_terminate_backend($1)", [rows[0].p]);
    await delay(100);
    await d.end();
    return [heard, await tell(pool.query("select 1 as n"))];
  },
  async "a killed client at work"(pool) {
    const c = await pool.connect();
    const heard: string[] = [];
    c.on("error", (e: any) => heard.push(`${e.code} ${e.message}`));
    const { rows } = await c.query("select pg_backend_pid() as p");
    const d = await openDirect();
    const p = tell(c.query("select pg_sleep($1)", [5]));
    await delay(50);
    await d.query("select pg_terminate_backend($1)", [rows[0].p]);
    const r = await timeout(p);
    await delay(50);
    const after = await timeout(tell(c.query("select $1::int", [1])));
    await d.end();
    c.release();
    return [r, heard, after];
  },
  async "killed at work, by pool.query"(pool) {
    const d = await openDirect();
    const p = tell(pool.query("select pg_sleep($1)", [5]));
    await delay(100);
    await d.query("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep($1)%' and pid <> pg_backend_pid()");
    const r = await timeout(p);
    await d.end();
    return r;
  },
  async "ddl between two uses on a client"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zd (a int)");
    await c.query("insert into zd values (1)");
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("alter table zd add b text default 'x'");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("alter table zd alter a type text");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("drop table zd");
    c.release();
    return out;
  },
  async "ddl inside a transaction after named use"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zd (a int)");
    await c.query("insert into zd values (1)");
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("begin");
    await c.query("alter table zd add b text default 'x'");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("rollback");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select * from zd where a = $1", [1])));
    await c.query("drop table zd");
    c.release();
    return out;
  },
  async "search_path changes on a client"(pool) {
    const c = await pool.connect();
    await c.query("create schema if not exists za; create schema if not exists zb; create table if not exists za.t as select 'a' as v; create table if not exists zb.t as select 'b' as v");
    const out: any[] = [];
    for (const s of ["za", "zb", "za", "zb"]) {
      await c.query(`set search_path = ${s}`);
      for (let i = 0; i < 3; i++) out.push(await tell(c.query("select v from t where $1::int = 1", [1])));
      for (let i = 0; i < 3; i++) out.push(await tell(c.query("select v from t")));
    }
    await c.query("reset search_path");
    c.release();
    return out;
  },
  async "enum, domain, composite, range"(pool) {
    await pool.query("drop type if exists ze cascade; create type ze as enum ('a','b'); drop domain if exists zdom; create domain zdom as int check (value > 0); drop type if exists zcomp; create type zcomp as (a int, b text)");
    const out: any[] = [];
    for (let i = 0; i < 3; i++)
      out.push(await tell(pool.query("select $1::ze as e, $2::zdom as d, row(1,'x')::zcomp as c, $3::int4range as r, array['a','b']::ze[] as l, '1 day'::interval as i, point(1,2) as p, '{}'::json as j, 1.5::numeric as nn, 9007199254740993::int8 as big, '12:00'::time as t, '2020-01-01'::date as dd, '\\xff'::bytea as by, B'101' as bits, '192.168.0.1'::inet as ip, null::int[] as nl, array[[1,2],[3,null]] as ml", ["a", 3, "[1,3)"])));
    out.push(await tell(pool.query("select $1::zdom", [-1])));
    out.push(await tell(pool.query("select $1::ze", ["zz"])));
    return out;
  },
  async "DEALLOCATE ALL / DISCARD ALL between"(pool) {
    const c = await pool.connect();
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    await c.query("deallocate all");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    await c.query("discard all");
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    c.release();
    return out;
  },
  async "name refused while others stand behind: order"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zr (id serial, n int)");
    const ins = "insert into zr (n) values ($1)";
    for (let i = 0; i < 4; i++) await c.query(ins, [i]);
    await c.query("deallocate all");
    const ps = [c.query(ins, [100]), c.query("select count(*)::int as n from zr"), c.query(ins, [101])];
    const out = await Promise.all(ps.map(tell));
    const all = await tell(c.query("select n from zr order by id"));
    await c.query("drop table zr");
    c.release();
    return [out, all];
  },
  async "name refused, a transaction behind that is rolled back"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zr (id serial, n int)");
    const ins = "insert into zr (n) values ($1)";
    for (let i = 0; i < 4; i++) await c.query(ins, [i]);
    await c.query("deallocate all");
    const ps = [c.query(ins, [100]), c.query("begin"), c.query("insert into zr (n) values (7)"), delay(100).then(() => c.query("rollback"))];
    const out = await Promise.all(ps.map(tell));
    const all = await tell(c.query("select n from zr where n > 5 order by id"));
    await c.query("drop table zr");
    c.release();
    return [out, all];
  },
  async "statement order: set then value query"(pool) {
    const c = await pool.connect();
    const ps = [c.query("set application_name = 'a1'"), c.query("select current_setting($1) as v", ["application_name"]), c.query("set application_name = 'a2'"), c.query("select current_setting($1) as v", ["application_name"])];
    const out = await Promise.all(ps.map(tell));
    c.release();
    return out;
  },
  async "an error does not stop what stands behind it"(pool) {
    const c = await pool.connect();
    const ps = [c.query("select 1/$1::int as n", [0]), c.query("select $1::int as n", [1]), c.query("selec"), c.query("select $1::int as n", [2])];
    const out = await Promise.all(ps.map(tell));
    c.release();
    return out;
  },
  async "setTypeParser after the first query"(pool) {
    const out: any[] = [];
    const old = pg.types.getTypeParser(23);
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("select $1::int as n", [i])));
    pg.types.setTypeParser(23, (v) => `p${v}`);
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("select $1::int as n", [i])));
    pg.types.setTypeParser(23, old);
    for (let i = 0; i < 3; i++) out.push(await tell(pool.query("select $1::int as n", [i])));
    return out;
  },
  async "client.setTypeParser"(pool) {
    const c = await pool.connect();
    const out: any[] = [];
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    (c as any).setTypeParser(23, (v: string) => `p${v}`);
    for (let i = 0; i < 3; i++) out.push(await tell(c.query("select $1::int as n", [i])));
    c.release();
    out.push(await tell(pool.query("select $1::int as n", [7])));
    return out;
  },
  async "toPostgres is called how often"(pool) {
    let n = 0;
    const v = { toPostgres: () => (n++, "x") };
    const b = { toPostgres: () => (n++, Buffer.from("x")) };
    await pool.query("select $1::text, $2::bytea", [v, b]);
    return n;
  },
  async "odd forms"(pool) {
    const out: any[] = [];
    for (const args of [[undefined], [null], [""], [{}], [{ text: "" }], [{ text: null }], [5], [["select 1"]], [{ text: "select 1 as n", values: null }], [{ text: "select $1::int as n", values: new Set([1]) }], ["select 1 as n", "x"], ["select 1 as n", 0], ["select 1 as n", false], [{ name: "", text: "select 1 as n" }], [{ name: 5, text: "select 1 as n" }], [{ name: "x".repeat(70), text: "select 1 as n" }], [new String("select 1")], [{ text: "select 1 as n", types: null, rowMode: "weird" }]]) {
      try {
        out.push([String(args), await timeout(tell((pool as any).query(...(args as any))), 1000)]);
      } catch (e: any) {
        out.push([String(args), "threw", e.message]);
      }
    }
    return out;
  },
  async "odd forms on a client"(pool) {
    const out: any[] = [];
    for (const args of [[undefined], [null], [""], [{}], [{ text: "" }], [{ text: null }], [5], [{ text: "select 1 as n", values: null }], [{ text: "select $1::int as n", values: new Set([1]) }], ["select 1 as n", "x"], ["select 1 as n", 0], [{ name: "", text: "select $1::int as n", values: [1] }], [{ text: "select $1::int as n", values: [1], rowMode: "weird" }]]) {
      const c = await pool.connect();
      try {
        out.push([String(args), await timeout(tell((c as any).query(...(args as any))), 1000)]);
      } catch (e: any) {
        out.push([String(args), "threw", e.message]);
      }
      c.release(true);
    }
    return out;
  },
  async "odd values"(pool) {
    const out: any[] = [];
    const sparse: any[] = [];
    sparse[1] = "b";
    for (const values of [sparse, [new Map([[1, 2]])], [new Set([1])], [Symbol("x")], [() => 1], [new Date(NaN)], [NaN], [Infinity], [-0], [1n], [new Boolean(false)], [new Number(5)], [new String("s")], [Buffer.from([1, 2])], [new ArrayBuffer(2)], [new DataView(new ArrayBuffer(2))], [[Buffer.from([1])]], [[1n, undefined, null]], [[]], [[[]]], [{ a: undefined }], [Object.create(null)], [{ toJSON: () => "j" }], [new Error("e")], [/x/], [new URL("http://a/")], ["\ud800"], ["\0"]]) {
      out.push(await timeout(tell((pool as any).query(values.length === 2 ? "select $1::text as a, $2::text as b" : "select $1::text as a", values)), 1000));
    }
    return out;
  },
  async "thenables and no rejection unhandled"(pool) {
    const unhandled: any[] = [];
    const on = (e: any) => unhandled.push(String(e));
    process.on("unhandledRejection", on);
    await new Promise<void>((done) => pool.query("select 1/$1::int", [0], () => done()) as any);
    await new Promise<void>((done) => pool.query("select 1/0", () => done()) as any);
    const c = await pool.connect();
    await new Promise<void>((done) => c.query("select 1/$1::int", [0], () => done()) as any);
    c.release();
    await delay(30);
    process.off("unhandledRejection", on);
    return unhandled;
  },
  async "end while queries wait"(pool) {
    const ps = Array.from({ length: 5 }, (_, i) => timeout(tell(pool.query("select pg_sleep(0.02), $1::int as n", [i]))));
    const ended = timeout(pool.end().then(() => "ended"));
    return [await Promise.all(ps).then((r: any[]) => r.map((x) => x?.[2]?.[0]?.n ?? x)), await ended];
  },
  async "columns of odd names"(pool) {
    const out: any[] = [];
    for (let i = 0; i < 3; i++) {
      const r = await pool.query('select 1 as "__proto__", 2 as "constructor", 3 as "toString", $1::int as "0", 4 as "hasOwnProperty"', [1]);
      out.push([Object.keys(r.rows[0]), Object.getPrototypeOf(r.rows[0]) === Object.prototype, r.fields.map((f: any) => [f.name, f.constructor.name, f.format, f.tableID, f.columnID, f.dataTypeID, f.dataTypeSize, f.dataTypeModifier])]);
    }
    return out;
  },
  async "result after several: parse helpers"(pool) {
    const r: any = await pool.query("select $1::int as n", [1]);
    return [Object.keys(r), r.constructor.name, r.oid, typeof r.addRow, r._parsers?.length, r._types?.constructor?.name, r.rowAsArray];
  },
  async "keys of an error"(pool) {
    const e: any = await pool.query("select 1/$1::int", [0]).catch((x) => x);
    return [Object.keys(e).filter((k) => k !== "fate"), e.name, e instanceof pg.DatabaseError, e.length, JSON.stringify(e).replace(/,"fate":"\w+"/, "")];
  },
  async "context on client.query callbacks"(pool) {
    const { AsyncLocalStorage } = await import("node:async_hooks");
    const s = new AsyncLocalStorage<number>();
    const c = await s.run(0, () => pool.connect());
    const out = await Promise.all(
      [1, 2, 3, 4].map((n) => s.run(n, () => new Promise((done) => (n % 2 ? c.query("select $1::int", [n], () => done(s.getStore())) : c.query("select 1", () => done(s.getStore())))))),
    );
    c.release();
    return out;
  },
  async "begin by pool.query, then others (max 1)"(pool) {
    return [await tell(pool.query("select 1 as n")), await tell(pool.query("select 1 as n; select 2 as m"))];
  },
  async "declare cursor and fetch on a client"(pool) {
    const c = await pool.connect();
    await c.query("begin");
    await c.query("declare zc cursor for select generate_series(1,5) as n");
    const out = [await tell(c.query("fetch 2 from zc")), await tell(c.query("fetch 2 from zc")), await tell(c.query("select $1::int as n", [1])), await tell(c.query("fetch 2 from zc"))];
    await c.query("commit");
    c.release();
    return out;
  },
  async "savepoints and a failed transaction"(pool) {
    const c = await pool.connect();
    await c.query("create temp table zs (n int)");
    const out: any[] = [];
    await c.query("begin");
    await c.query("insert into zs values ($1)", [1]);
    await c.query("savepoint a");
    out.push(await tell(c.query("insert into zs values ($1::int/0)", [1])));
    out.push(await tell(c.query("select $1::int", [1])));
    await c.query("rollback to a");
    out.push(await tell(c.query("insert into zs values ($1) returning n", [2])));
    await c.query("commit");
    out.push(await tell(c.query("select n from zs where n > $1 order by n", [0])));
    await c.query("drop table zs");
    c.release();
    return out;
  },
  async "a client query that is thrown by toPostgres"(pool) {
    const c = await pool.connect();
    const bad = { toPostgres: () => { throw new TypeError("mine"); } };
    const out = [await timeout(tell(c.query("select $1::text", [bad]))), await timeout(tell(c.query("select $1::int as n", [1])))];
    c.release();
    return out;
  },
  async "query inside a callback of a query"(pool) {
    return timeout(new Promise((done) => pool.query("select $1::int as n", [1], () => pool.query("select $1::int as n", [2], (_e: any, r: any) => done(r.rows)) as any) as any));
  },
  async "query inside a callback on a client: order"(pool) {
    const c = await pool.connect();
    const log: string[] = [];
    await new Promise<void>((done) => {
      c.query("select $1::int as n", [1], () => {
        log.push("1");
        c.query("select $1::int as n", [3], () => (log.push("3"), done()));
      });
      c.query("select $1::int as n", [2], () => log.push("2"));
    });
    c.release();
    return log;
  },
  async "activeQuery and queue shown to whoever looks"(pool) {
    const c: any = await pool.connect();
    const p = c.query("select pg_sleep(0.05), $1::int", [1]);
    const out = [typeof c.activeQuery, c.readyForQuery];
    await p;
    c.release();
    return out;
  },
  async "getTransactionStatus"(pool) {
    const c: any = await pool.connect();
    const out: any[] = [c.getTransactionStatus?.()];
    await c.query("begin");
    out.push(c.getTransactionStatus?.());
    await c.query("select $1::int", [1]);
    out.push(c.getTransactionStatus?.());
    await c.query("select 1/$1::int", [0]).catch(() => {});
    out.push(c.getTransactionStatus?.());
    await c.query("rollback");
    await c.query("select $1::int", [1]);
    out.push(c.getTransactionStatus?.());
    c.release();
    return out;
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
