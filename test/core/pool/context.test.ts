import { AsyncLocalStorage } from "node:async_hooks";
import { setImmediate } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { WarmPool } from "../../../src/entry/pool.ts";
import { openPool } from "../databases.ts";

const request = new AsyncLocalStorage<string>();

test("a callback that waited for a connection runs as its own request, not as the one that gave the connection back", async () => {
  await using db = openPool({ max: 1 });
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const first = request.run("first", () => db.transaction(() => held));
  const seen: unknown[] = [];
  const second = request.run("second", () => db.transaction(async () => void seen.push(request.getStore())));
  const third = request.run("third", () => db.session(async () => void seen.push(request.getStore())));
  while (db.stats().waiting < 2) await setImmediate();
  letGo();
  await Promise.all([first, second, third]);
  expect(seen).toEqual(["second", "third"]);
});

test("a pool tells of a connection given back as the request that held it", async () => {
  const pool = new WarmPool({ connectionString: inject("postgres").url, max: 1, pipelining: false });
  const seen: unknown[] = [];
  pool.on("release", () => seen.push(request.getStore()));
  await request.run("opened it", () => pool.query("select 1"));
  await request.run("used it", () => pool.query("select 1"));
  const waiting = ["a", "b"].map((name) => request.run(name, () => pool.query("select 1")));
  await Promise.all(waiting);
  await pool.end();
  expect(seen).toEqual(["opened it", "used it", "a", "b"]);
});
