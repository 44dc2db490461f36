import { AsyncLocalStorage } from "node:async_hooks";
import crypto from "node:crypto";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type Database, sql, type Transaction } from "../../src/entry/node.ts";
import { openPool, urlAt } from "./databases.ts";

// Next.js ends a prerender that reads the time or chance; while what else the page waits for is awaited, after an answer came too.
// Source: Next.js 16, server/node-environment-extensions

const prerender = new AsyncLocalStorage<string[]>();
const originals: (() => void)[] = [];

/** Replaces a function as Next.js does: bound, so that it reads as native. What this package reads within a prerender is noted; a driver's own reads are its. */
function guard(owner: object, name: string): void {
  const original = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  const guarding = (...args: unknown[]) => {
    const reads = prerender.getStore();
    const reader = new Error().stack?.split("\n")[2] ?? "";
    if (reads !== undefined && reader.includes("/src/")) reads.push(`${name} ${reader}`);
    return original.apply(owner, args);
  };
  Reflect.set(owner, name, guarding.bind(null));
  originals.push(() => Reflect.set(owner, name, original));
}

const NativeDate = Date;

/** As {@link guard}, of `new Date()` and `Date()`. */
function guardDate(): void {
  const guarded = function (...args: []) {
    if (args.length === 0) prerender.getStore()?.push(`new Date() ${new Error().stack?.split("\n")[2]}`);
    return new.target === undefined ? NativeDate() : Reflect.construct(NativeDate, args, new.target);
  };
  globalThis.Date = Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(NativeDate)) as unknown as DateConstructor;
  originals.push(() => {
    globalThis.Date = NativeDate;
  });
}

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
  guard(NativeDate, "now");
  guardDate();
  guard(Math, "random");
  for (const name of ["getRandomValues", "randomUUID"]) guard(globalThis.crypto, name);
  for (const name of ["randomUUID", "randomBytes", "randomFillSync", "randomInt"]) guard(crypto, name);
});
afterAll(async () => {
  for (const restore of originals) restore();
  await endpoint.stop();
});

/** A database of each way that leads to one from a page, opened in a prerender. */
const ways: Readonly<Record<string, () => Database | Promise<Database>>> = {
  "the pool": () => openPool({ max: 2 }),
  "SQL over HTTP": () => openPool({ transport: "http", endpoint: endpoint.url }),
  "the build for the edge": async () => {
    const { createDatabase } = await import("../../src/entry/edge.ts");
    return createDatabase({ url: urlAt(), endpoint: endpoint.url });
  },
};

/** A transaction that the server refuses once. */
async function repeat(db: Database): Promise<void> {
  let attempts = 0;
  const work = async (tx: Transaction) => {
    if (attempts++ === 0) await tx.query("do $$ begin raise exception using errcode = '40001'; end $$");
  };
  await db.transaction(work, { retries: 1 });
  expect(attempts).toBe(2);
}

test.each(Object.entries(ways))("no call reads what a prerender must not, over %s", async (way, open) => {
  const reads: string[] = [];
  await prerender.run(reads, async () => {
    await using db = await open();
    db.subscribe(() => {});
    await Promise.all([1, 2, 3].map((number) => db.sql`select ${number}::int`));
    await db.query("select now(), $1::jsonb", [{ a: 1 }], { readOnly: true });
    await db.batch([sql`select 1`, sql`select 2`]);
    await db.transaction((tx) => tx.sql`select 1`);
    await db.session((session) => session.sql`select 1`);
    for await (const _ of db.stream(sql`select * from generate_series(1, 3)`));
    // how long to wait for the next attempt is chance, which the edge knows no other of; Next.js prerenders nothing there
    if (way !== "the build for the edge") await repeat(db);
  });
  expect(reads).toEqual([]);
});

test("a clock that somebody set is the one that counts", async () => {
  const { processClock } = await import("../../src/transports/pool/process-clock.ts");
  const guarded = Date.now;
  expect(Math.abs(processClock.now() - guarded())).toBeLessThan(1_000);
  Date.now = () => 86_400_000;
  expect(processClock.now()).toBe(86_400_000);
  Date.now = guarded;
  expect(Math.abs(processClock.now() - guarded())).toBeLessThan(1_000);
});
