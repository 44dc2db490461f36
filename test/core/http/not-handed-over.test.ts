import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { failureOf, openPool } from "../databases.ts";
import { answer, oneRow, startToldServer, type ToldServer } from "./told-server.ts";

let server: ToldServer;
beforeAll(async () => {
  server = await startToldServer();
});
beforeEach(() => server.tell(answer(200, oneRow)));
afterAll(() => server[Symbol.asyncDispose]());

const open = (options: DatabaseOptions = {}): Database =>
  createDatabase({
    host: "db.invalid",
    database: "app",
    user: "app",
    password: "secret",
    transport: "http",
    endpoint: server.url,
    deadlineMs: 60_000,
    ...options,
  });

describe("a request that cannot be written", () => {
  // as JSON each character is six, and a string may have 536,870,888
  const long = "\u0001".repeat(90_000_000);

  test("because a parameter is longer than a string may be, was not sent, and says so", async () => {
    await using db = open();
    const before = server.bodies.length;
    for (const send of [() => db.query("insert", [long]), () => db.batch([sql`insert ${long}`])]) {
      expect(await failureOf(send())).toMatchObject({ name: "UsageError", code: "UNSUPPORTED_VALUE", fate: "not-sent", retryable: false });
    }
    expect([server.bodies.length - before, db.stats().retries]).toEqual([0, 0]);
    expect((await db.query("select")).rows).toEqual([{ word: "x" }]);
  });
});

/** What a function gives that no password can be. Some of them only a caller without types gives. */
const unfit: readonly (readonly [string, unknown])[] = [
  ["half a surrogate pair", "canary-\ud800"],
  ["an empty text", ""],
  ["NUL", "canary\0"],
  ["nothing", undefined],
  ["null", null],
  ["a number", 42],
  ["an object", { password: "canary" }],
  ["bytes", new TextEncoder().encode("canary")],
];

describe.each([
  ["HTTP", open],
  ["a pool", openPool],
])("over %s, a password function that gives", (_, openWith) => {
  test.each(unfit)("%s has failed, and nothing was sent", async (_what, given) => {
    let asked = 0;
    const password = () => {
      asked++;
      return given as string;
    };
    await using db = openWith({ password });
    const before = server.bodies.length;
    const error = await failureOf(db.query("insert"));
    expect(error).toMatchObject({ name: "ConnectionError", code: "PASSWORD_FAILED", fate: "not-sent", retryable: true });
    expect([error.message, error.stack, JSON.stringify(error)].join()).not.toContain("canary");
    expect([asked, server.bodies.length - before]).toEqual([5, 0]);
  });
});

test("a parser that throws an error of ours has still read an answer: it was done", async () => {
  await using other = open();
  const own = await failureOf(other.query("select", [Symbol("none")]));
  expect(own.fate).toBe("not-sent");
  const fail = () => {
    throw own;
  };
  await using db = open({ types: { 25: fail } });
  const before = server.bodies.length;
  expect(await failureOf(db.query("insert"))).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", fate: "applied" });
  expect(server.bodies.length - before).toBe(1);
});
