/** What throws beside an exchange must not leave it without an end. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { expect, test } from "vitest";
import { WarmPool } from "../src/entry/pool.ts";
import { openPool, urlAt } from "./core/databases.ts";

async function uncaughtWhile(f: () => Promise<void>) {
  const uncaught: string[] = [];
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (e) => uncaught.push(String(e)));
  try {
    await f();
    await delay(50);
  } finally {
    process.removeAllListeners("uncaughtException");
    for (const l of listeners) process.on("uncaughtException", l);
  }
  return uncaught;
}
const within = (p: Promise<any>) => Promise.race([p.then((r) => r.rows, String), delay(2000, "HUNG")]);

test("a drain listener that throws", async () => {
  const pool = new WarmPool({ url: urlAt(), max: 1 }) as unknown as pg.Pool;
  const c = await pool.connect();
  await c.query("select 1");
  const uncaught = await uncaughtWhile(async () => {
    c.once("drain", () => {
      throw new Error("mine");
    });
    expect(await within(c.query("select $1::int as n", [1]))).toEqual([{ n: 1 }]);
    expect(await within(c.query("select $1::int as n", [2]))).toEqual([{ n: 2 }]);
  });
  console.log(uncaught);
  c.release();
  await pool.end();
});

test("a tracer that throws where a name is refused", async () => {
  const original = pg.Client.prototype.query;
  let arm = false;
  pg.Client.prototype.query = function (this: any, ...args: any[]) {
    const cb = args.at(-1);
    if (typeof cb === "function")
      args[args.length - 1] = (...told: any[]) => {
        cb(...told);
        if (arm) {
          arm = false;
          throw new Error("tracer");
        }
      };
    return Reflect.apply(original, this, args);
  } as never;
  const db = openPool({ max: 1, name: randomUUID() });
  try {
    for (let n = 0; n < 4; n++) await db.query("select $1::int as n", [n]);
    await db.script("deallocate all");
    console.log(
      await uncaughtWhile(async () => {
        arm = true;
        expect(await within(db.query("select $1::int as n", [1]))).toEqual([{ n: 1 }]);
      }),
    );
  } finally {
    pg.Client.prototype.query = original;
    await Promise.race([db.close(), delay(1000)]);
  }
});

test.each(["connect", "acquire", "release", "remove"])("a pool listener of %s that throws", async (event) => {
  const out: any = {};
  for (const [kind, make] of [["pg", () => new pg.Pool({ connectionString: urlAt(), max: 1 })], ["warm", () => new WarmPool({ url: urlAt(), max: 1 }) as unknown as pg.Pool]] as const) {
    const pool = make();
    pool.once(event as any, () => {
      throw new Error("mine");
    });
    const got: any[] = [];
    const uncaught = await uncaughtWhile(async () => {
      try {
        got.push(await within(pool.query("select $1::int as n", [1])));
      } catch (e) {
        got.push(`threw ${e}`);
      }
      try {
        got.push(await within(pool.query("select $1::int as n", [2])));
      } catch (e) {
        got.push(`threw ${e}`);
      }
      got.push(await within(pool.connect().then((c) => (c.release(), { rows: "client" })) as never));
    });
    out[kind] = { got, uncaught };
    await Promise.race([pool.end(), delay(500)]);
  }
  console.log(event, JSON.stringify(out));
});

test.each([1, 2, 3])("a tracer that throws before it passes the statement on, or behind it (%d)", async (way) => {
  const original = pg.Client.prototype.query;
  let arm = false;
  pg.Client.prototype.query = function (this: any, ...args: any[]) {
    if (arm) {
      arm = false;
      if (way === 1) throw new Error("tracer");
      if (way === 2) {
        Reflect.apply(original, this, args);
        throw new Error("tracer");
      }
      if (way === 3) return undefined; // never passed on
    }
    return Reflect.apply(original, this, args);
  } as never;
  const db = openPool({ max: 1, name: randomUUID(), deadlineMs: 1000 });
  const pool = new WarmPool({ url: urlAt(), max: 1 }) as unknown as pg.Pool;
  try {
    for (let n = 0; n < 4; n++) {
      await db.query("select $1::int as n", [n]);
      await pool.query("select $1::int as n", [n]);
    }
    console.log(
      way,
      await uncaughtWhile(async () => {
        arm = true;
        console.log(way, "db", await within(db.query("select $1::int as n", [1])), await within(db.query("select $1::int as n", [2])));
        arm = true;
        console.log(way, "pool", await within(pool.query("select $1::int as n", [1])), await within(pool.query("select $1::int as n", [2])));
      }),
    );
  } finally {
    pg.Client.prototype.query = original;
    await Promise.race([db.close(), delay(1000)]);
    await Promise.race([pool.end(), delay(1000)]);
  }
});
