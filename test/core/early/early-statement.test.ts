import { readFileSync } from "node:fs";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { errorResponse } from "../../../src/endpoint/backend-messages.ts";
import { type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { startTlsServer } from "../../faults/middles/tls-server.ts";
import { runRequest } from "../../faults/subjects/request-database.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";
import { challenges, impostures, proves, startImpostor } from "./impostor.ts";

/** A wire that can be read, behind TLS that is verified. */
interface ReadableTls extends AsyncDisposable {
  readonly wire: Wire;
  readonly port: number;
}

async function startReadable(target: { readonly host: string; readonly port: number } = inject("postgres")): Promise<ReadableTls> {
  const wire = await startWire(target);
  const front = await startTlsServer({ host: "127.0.0.1", port: wire.port }, { https: false });
  return {
    wire,
    port: front.port,
    async [Symbol.asyncDispose]() {
      await front[Symbol.asyncDispose]();
      await wire.close();
    },
  };
}

/** A way to hold a connection, and how work runs there. */
interface Way {
  readonly way: string;
  readonly open: (options: DatabaseOptions) => Database;
  readonly run: typeof runRequest;
}

const ways: readonly Way[] = [
  { way: "the pool", open: openPool, run: (_, work) => work() },
  { way: "a request's connections", open: openRequest, run: runRequest },
];

const tlsFolder = new URL("../../support/tls/", import.meta.url);
const trusted = tls.getCACertificates("default");
const early = { sslMode: "verify-full", earlyStatement: true } as const;

let readable: ReadableTls;
let direct: Awaited<ReturnType<typeof openDirect>>;

beforeAll(async () => {
  // a request's sockets trust what the runtime trusts, and take no other authority
  tls.setDefaultCACertificates([...trusted, readFileSync(new URL("ca.pem", tlsFolder), "utf8")]);
  readable = await startReadable();
  direct = await openDirect();
  await direct.query("create table early (n int)");
});
afterAll(async () => {
  await direct.query("drop table early");
  await direct.end();
  await readable[Symbol.asyncDispose]();
  tls.setDefaultCACertificates(trusted);
});

const written = async () => (await direct.query<{ n: number }>("select n from early order by n")).rows.map(({ n }) => n);
const insert = (n: number) => sql`insert into early values (${n})`;

/** The last message of a login: the second of those that hold a password, or what stands for one. */
function lastWord(): (message: PostgresMessage) => boolean {
  let words = 0;
  return ({ from, type }) => from === "client" && type === "p" && ++words === 2;
}

/** Whether a statement came before the server had said that the login is over. */
async function isEarly(wire: Wire, work: () => Promise<unknown>): Promise<boolean> {
  const seen: string[] = [];
  const stop = wire.onMessage(({ from, type }) => void seen.push(`${from} ${type}`));
  await work();
  stop();
  const begins = Math.min(...["client P", "client Q"].map((kind) => seen.indexOf(kind)).filter((at) => at >= 0));
  return begins < seen.indexOf("server Z");
}

describe.each(ways)("the first statement over $way", ({ open, run }) => {
  const openHere = (options: DatabaseOptions = {}) => open({ url: urlAt(readable), max: 1, ...early, ...options });

  test.each<[string, (db: Database) => Promise<unknown>]>([
    ["a query", (db) => db.query("select 1")],
    ["a query that the server keeps from writing", (db) => db.query("select 1", [], { readOnly: true })],
    ["a batch", (db) => db.batch([sql`select 1`, sql`select 2`])],
  ])("leaves with the login: %s", async (_, work) => {
    await using db = openHere();
    expect(await isEarly(readable.wire, () => run(db, () => work(db)))).toBe(true);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test.each<[string, (db: Database) => Promise<unknown>]>([
    ["a transaction", (db) => db.transaction((tx) => tx.sql`select 1`)],
    ["a session", (db) => db.session((session) => session.sql`select 1`)],
    ["a script", (db) => db.script("select 1; select 2")],
  ])("waits for the login where it is that of %s", async (_, work) => {
    await using db = openHere();
    expect(await isEarly(readable.wire, () => run(db, () => work(db)))).toBe(false);
  });

  test.each<[string, DatabaseOptions]>([
    ["it was not asked for", { earlyStatement: false }],
    ["a pooler stands between", { target: "pgbouncer" }],
  ])("waits for the login where %s", async (_, options) => {
    await using db = openHere(options);
    expect(await isEarly(readable.wire, () => run(db, () => db.query("select 1")))).toBe(false);
  });

  test("waits for the login in plain text", async () => {
    await using wire = await startWire(inject("postgres"));
    await using db = openHere({ url: urlAt(wire), sslMode: "disable" });
    expect(await isEarly(wire, () => run(db, () => db.query("select 1")))).toBe(false);
  });

  test("gets its own answer, and those behind it theirs", async () => {
    await using db = openHere();
    const numbers = await run(db, () => Promise.all([1, 2, 3].map((n) => db.query<{ n: number }>("select $1::int as n", [n]))));
    expect(numbers.map(({ rows: [row], via }) => [row?.n, via.reused, via.attempts])).toEqual([
      [1, false, 1],
      [2, true, 1],
      [3, true, 1],
    ]);
    expect(new Set(numbers.map(({ via }) => via.connectionId)).size).toBe(1);
    expect(numbers[0]?.via.connectionId).toMatch(/^[cr]\d+$/);
  });

  test("is refused by the server as any, and the connection is kept", async () => {
    await using db = openHere();
    await run(db, async () => {
      expect(await failureOf(db.query("select 1/0"))).toMatchObject({ code: "22012", fate: "refused" });
      expect((await db.query("select 1")).via.reused).toBe(true);
    });
  });

  test.each([
    ["a wrong password", { password: "wrong" }, "28P01"],
    ["a database that does not exist", { database: "no_such_database" }, "3D000"],
  ])("was never run, and not sent, where the login is turned away for %s", async (_, options, code) => {
    await direct.query("truncate early");
    const { host, user, password, database } = inject("postgres");
    await using db = open({ max: 1, ...early, host, port: readable.port, user, password, database, ...options });
    const failure = await failureOf(run(db, () => db.query(insert(1))));
    expect(failure).toMatchObject({ name: "DatabaseError", code, fate: "not-sent", retryable: false });
    expect(db.stats()).toMatchObject({ retries: 0, connects: 0, discarded: 0, total: 0 });
    expect(await written()).toEqual([]);
  });

  test("is run once where the password function gives a fresh one after a refusal", async () => {
    await direct.query("truncate early");
    const { host, user, password, database } = inject("postgres");
    const given = ["wrong", password];
    await using db = open({
      ...early,
      host,
      port: readable.port,
      user,
      database,
      max: 1,
      password: () => given.shift() ?? "none",
    });
    expect((await run(db, () => db.query(insert(1)))).via.attempts).toBe(2);
    expect(await written()).toEqual([1]);
  });

  test("that was run is unknown where the link is cut right behind it", async () => {
    await direct.query("truncate early");
    await using db = openHere();
    const cut = readable.wire.cutAt(({ from, type }) => from === "client" && type === "S", { passOn: true });
    const failure = await failureOf(run(db, () => db.query(insert(1))));
    await cut;
    expect(failure).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown", retryable: false });
    await until(async () => (await written()).length === 1);
    expect(db.stats()).toMatchObject({ retries: 0, connects: 0, discarded: 0, total: 0 });
    await run(db, () => db.query(insert(2)));
    expect(await written()).toEqual([1, 2]);
  });

  test("is unknown where the link is cut with the last message of the login, and repeated where that may be", async () => {
    await direct.query("truncate early");
    await using db = openHere();
    const cut = readable.wire.cutAt(lastWord());
    expect(await failureOf(run(db, () => db.query(insert(1))))).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    await cut;
    const again = readable.wire.cutAt(lastWord());
    expect((await run(db, () => db.query("select 1", [], { idempotent: true }))).via.attempts).toBe(2);
    await again;
    expect(await written()).toEqual([]);
  });

  test.each<[string, DatabaseOptions, object]>([
    ["its deadline", { deadlineMs: 300 }, { code: "DEADLINE_EXCEEDED", fate: "unknown" }],
    ["connectTimeoutMs", { connectTimeoutMs: 300 }, { code: "CONNECTION_LOST", fate: "unknown" }],
  ])("is unknown where %s ends before the login is over", async (_, options, expected) => {
    await using db = openHere(options);
    const word = lastWord();
    const stop = readable.wire.onMessage((message) => word(message) && readable.wire.holdServer());
    expect(await failureOf(run(db, () => db.query("select 1")))).toMatchObject(expected);
    stop();
    readable.wire.resume();
    expect((await run(db, () => db.query("select 1", [], { deadlineMs: 10_000 }))).via.reused).toBe(false);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test.each(impostures)("believes no answer of a server that %s", async (_, change) => {
    await using impostor = await startImpostor(inject("postgres"), change);
    await using front = await startTlsServer(impostor, { https: false });
    const parse = vi.fn(() => "read");
    await using db = openHere({ url: urlAt(front), types: { 23: parse } });
    expect(await failureOf(run(db, () => db.query("select 1 as n")))).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
    expect(parse).not.toHaveBeenCalled();
    expect(db.stats()).toMatchObject({ connects: 0, total: 0 });
  });

  test.each([
    ["FATAL", { name: "DatabaseError", code: "53300", fate: "not-sent" }],
    ["ERROR", { code: "CONNECTION_LOST", fate: "unknown" }],
  ])("was not sent only where what turns the login away ends it: %s", async (severity, expected) => {
    const refusal = errorResponse({ severity, code: "53300", message: "turned away" });
    await using doorman = await startImpostor(inject("postgres"), (message, bytes) => (proves(message) ? refusal : bytes));
    await using front = await startTlsServer(doorman, { https: false });
    await using db = openHere({ url: urlAt(front) });
    expect(await failureOf(run(db, () => db.query("select 1")))).toMatchObject(expected);
  });

  test("is not sent, and takes up no room, where the login is turned away before its last message is written", async () => {
    const refusal = errorResponse({ severity: "FATAL", code: "3D000", message: "turned away" });
    let refusing = true;
    await using doorman = await startImpostor(inject("postgres"), (message, bytes) =>
      refusing && challenges(message) ? Buffer.concat([bytes, refusal]) : bytes,
    );
    await using front = await startTlsServer(doorman, { https: false });
    await using db = openHere({ url: urlAt(front) });
    expect(await failureOf(run(db, () => db.query("select 1")))).toMatchObject({ code: "3D000", fate: "not-sent" });
    refusing = false;
    await run(db, () => Promise.all([1, 2, 3].map(() => db.query("select 1"))));
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("has its answer in one packet with the login's end", async () => {
    await using impostor = await startImpostor(inject("postgres"), (_, bytes) => bytes);
    await using front = await startTlsServer(impostor, { https: false });
    await using db = openHere({ url: urlAt(front) });
    expect((await run(db, () => db.query("select 1 as n"))).rows).toEqual([{ n: 1 }]);
  });
});
