import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { createRequestDatabase, runRequest } from "../faults/subjects/request-database.ts";
import { int16, int32, message, report, withLength } from "../fuzz/server/answers.ts";
import type { Misdeed } from "../fuzz/server/misdeeds.ts";
import { startWrongServer, type WrongServer } from "../fuzz/server/wrong-server.ts";
import { createRandom } from "../support/random.ts";
import { failureOf } from "./databases.ts";

/** About what a message of the server's may say it is long, bytes. */
const GIGABYTE = 1_000_000_000;

/** A row that says it is a gigabyte long: some of it comes at once, some of it later, and no more. */
const endlessRow: Misdeed = ({ messages }) => {
  const at = messages.findIndex(({ type }) => type === "D");
  if (at < 0) return undefined;
  const begun = withLength(message("D", int16(1), int32(GIGABYTE - 10), Buffer.alloc(1_000, "x")), GIGABYTE);
  const more = { type: "D", bytes: Buffer.alloc(10_000, "x") };
  return { messages: [...messages.slice(0, at), begun], afterwards: { messages: [more], afterMs: 20 }, ends: "silence" };
};

/** A notice of that length, before the login is over. */
const endlessNotice: Misdeed = ({ kind, messages }) =>
  kind === "login" ? { messages: [withLength(report("N", { S: "NOTICE", M: "x" }), GIGABYTE), ...messages], ends: "silence" } : undefined;

/** A row that is whole, and longer than a text can be. */
const tooLongRow: Misdeed = ({ messages }) => {
  if (!messages.some(({ type }) => type === "D")) return undefined;
  const length = 540_000_000;
  const row = message("D", int16(1), int32(length), Buffer.alloc(length, "x"));
  return { messages: messages.map((said) => (said.type === "D" ? row : said)) };
};

const statement = sql`select ${5}::int as n`;

const calls: readonly (readonly [title: string, call: (db: Database, limits: { readonly deadlineMs?: number }) => Promise<unknown>])[] = [
  ["query", (db, limits) => db.query(statement, limits)],
  ["batch", (db, limits) => db.batch([statement], limits)],
  ["transaction", (db, limits) => db.transaction((tx) => tx.query(statement), limits)],
  ["session", (db, limits) => db.session((session) => session.query(statement), limits)],
];

/** Where a message comes from, and the calls it answers. */
const ways: readonly {
  readonly way: string;
  readonly over: "tcp" | "websocket";
  readonly open: (port: number, options: DatabaseOptions) => Database;
  readonly calls: typeof calls;
  readonly around: (db: Database, work: () => Promise<void>) => Promise<void>;
}[] = [
  {
    way: "a pool",
    over: "tcp",
    open: (port, options) => createDatabase({ url: urlOf(port), max: 1, ...options }),
    calls,
    around: (_, work) => work(),
  },
  {
    way: "a request's connections",
    over: "tcp",
    open: (port, options) => createRequestDatabase({ url: urlOf(port), max: 1, ...options }),
    calls,
    around: runRequest,
  },
  {
    way: "WebSocket",
    over: "websocket",
    open: (port, options) => createDatabase({ url: urlOf(0), transport: "http", endpoint: `http://127.0.0.1:${port}`, ...options }),
    calls: calls.slice(2),
    around: (_, work) => work(),
  },
];

function urlOf(port: number): string {
  return `postgres://a:b@127.0.0.1:${port || 1}/c?sslmode=disable`;
}

describe.each(ways)("over $way", ({ way, over, open, calls, around }) => {
  let server: WrongServer;
  beforeEach(async () => {
    server = await startWrongServer(over);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const works = async (call: (typeof calls)[number][1], db: Database) =>
    expect(JSON.stringify(await call(db, { deadlineMs: 20_000 }))).toContain('"n":5');

  test.each(calls)("a row that says it is a gigabyte long ends with the deadline of its %s, and the next call works", async (_, call) => {
    await using db = open(server.port, {});
    await around(db, async () => {
      await works(call, db);
      server.arm(endlessRow, createRandom(1), 0);
      expect(await failureOf(call(db, { deadlineMs: 300 }))).toMatchObject({ name: "CancelledError", code: "DEADLINE_EXCEEDED" });
      await works(call, db);
      expect(db.stats().running).toBe(0);
    });
  });

  test("a notice that says so before the login is over ends with the deadline, and with connectTimeoutMs", async () => {
    const [, call] = calls.at(-1) as (typeof calls)[number];
    await using db = open(server.port, { connectTimeoutMs: 400 });
    await around(db, async () => {
      server.arm(endlessNotice, createRandom(1), 0);
      expect(await failureOf(call(db, { deadlineMs: 100 }))).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "not-sent" });
      server.arm(endlessNotice, createRandom(1), 0);
      // another connection is opened when that one has had its time
      await works(call, db);
    });
  });

  // a request's connections read as those of a pool do, and it takes a gigabyte of memory
  test.runIf(way !== "a request's connections")(
    "a value that is longer than a text can be ends its call with a code, and the next call works",
    async () => {
      const [, call] = calls.at(-1) as (typeof calls)[number];
      await using db = open(server.port, {});
      await around(db, async () => {
        await works(call, db);
        server.arm(tooLongRow, createRandom(1), 0);
        expect(await failureOf(call(db, { deadlineMs: 60_000 }))).toMatchObject({
          name: "ConnectionError",
          fate: "unknown",
          retryable: false,
        });
        await works(call, db);
      });
    },
  );
});
