import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { heldBytes } from "../../support/heap.ts";
import { failureOf, until } from "../databases.ts";
import { failureAfter } from "../passing-deadline.ts";
import { answer, dribble, type Endless, endless, oneRow, startToldServer, type ToldServer } from "./told-server.ts";

let server: ToldServer;
beforeAll(async () => {
  server = await startToldServer();
});
afterAll(() => server[Symbol.asyncDispose]());
afterEach(() => void vi.unstubAllEnvs());

const MEBIBYTE = 1_048_576;

const open = (options: DatabaseOptions = {}): Database =>
  createDatabase({
    host: "db.invalid",
    database: "app",
    user: "app",
    password: "secret",
    transport: "http",
    endpoint: server.url,
    deadlineMs: 20_000,
    ...options,
  });

const spaces = Buffer.alloc(65_536, " ");

/** What is held when all that nobody needs is gone, buffers among it, bytes. */
const held = () => heldBytes() + process.memoryUsage().external;

/** Waits until the endless answer has been given up, and holds how much of it was taken against the limit. */
async function wasGivenUp(told: Endless, limit: number): Promise<void> {
  await until(() => told.closed);
  // beside what was read: what sockets and streams on both sides hold
  expect(told.written).toBeLessThan(limit + 32 * MEBIBYTE);
}

const tooLarge = { name: "ConnectionError", code: "RESPONSE_TOO_LARGE", fate: "unknown", retryable: false };

describe.each([
  { way: "connections of its own", choose: () => {} },
  { way: "fetch", choose: () => vi.stubEnv("NODE_USE_ENV_PROXY", "1") },
])("over $way", ({ choose }) => {
  test("an answer as long as maxResponseBytes is read, and one byte more is not", async () => {
    choose();
    const body = JSON.stringify(oneRow);
    server.tell(answer(200, body));
    await using wide = open({ maxResponseBytes: body.length });
    expect((await wide.query("select")).rows).toEqual([{ word: "x" }]);
    await using narrow = open({ maxResponseBytes: body.length - 1 });
    const error = await failureOf(narrow.query("select"));
    expect(error).toMatchObject(tooLarge);
    expect(error.message).toContain(`larger than ${body.length - 1} bytes (maxResponseBytes)`);
    expect(await failureOf(narrow.batch([sql`select`]))).toMatchObject(tooLarge);
  });

  test("text of several bytes a character is read whole, wherever its chunks are cut", async () => {
    choose();
    const word = "äöü€😀".repeat(20_000);
    const bytes = Buffer.from(JSON.stringify({ ...oneRow, rows: [[word]] }));
    server.tell((_, response) => {
      response.writeHead(200);
      for (let at = 0; at < bytes.length; at += 4_099) response.write(bytes.subarray(at, at + 4_099));
      response.end();
    });
    await using db = open();
    expect((await db.query("select")).rows).toEqual([{ word }]);
  });

  test("an answer that never ends is not read beyond the limit, whoever claims what, and the next call works", async () => {
    choose();
    await using db = open({ maxResponseBytes: MEBIBYTE });
    const calls = [
      () => db.query("select"),
      () => db.query("select", [], { idempotent: true }),
      () => db.query("select", [], { readOnly: true }),
      () => db.batch([sql`select`, sql`select`], { idempotent: true }),
    ];
    for (const call of calls) {
      const told = endless(spaces, 200);
      server.tell(told.reply);
      const before = server.bodies.length;
      expect(await failureOf(call())).toMatchObject(tooLarge);
      await wasGivenUp(told, MEBIBYTE);
      expect(server.bodies.length - before).toBe(1);
    }
    server.tell(answer(200, oneRow));
    expect((await db.query("select")).rows).toEqual([{ word: "x" }]);
    expect(db.stats()).toMatchObject({ retries: 0, running: 0 });
  });

  test("an answer is read up to 64 MiB where nothing is said", async () => {
    choose();
    await using db = open();
    const told = endless(spaces, 200);
    server.tell(told.reply);
    const error = await failureOf(db.query("select"));
    expect(error).toMatchObject(tooLarge);
    expect(error.message).toContain("67108864");
    await wasGivenUp(told, 64 * MEBIBYTE);
  });

  test.each([
    [400, "unknown"],
    [401, "refused"],
    [500, "unknown"],
  ])("a refusal that never ends is told by its status %i", async (status, fate) => {
    choose();
    await using db = open({ maxResponseBytes: MEBIBYTE });
    const told = endless(spaces, status);
    server.tell(told.reply);
    expect(await failureOf(db.query("select"))).toMatchObject({ code: "HTTP_STATUS", fate, status });
    await wasGivenUp(told, MEBIBYTE);
  });

  const more = Buffer.from("x-more: of it\r\n".repeat(1_000));
  const headless = [
    ["headers", "HTTP/1.1 200 OK\r\n", more],
    ["trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", more],
    ["one header", "HTTP/1.1 200 OK\r\nx-long: ", Buffer.alloc(65_536, "x")],
    ["one header of nothing but spaces", "HTTP/1.1 200 OK\r\nx-long: ", spaces],
    ["a status line", "HTTP/1.1 200 ", Buffer.alloc(65_536, "O")],
    ["early answers", "", Buffer.from("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(100))],
    ["what is no HTTP", "HELLO", spaces],
  ] as const;

  test.each(headless)("%s without an end: the call ends by its deadline, and nothing of it is kept", async (_, begin, piece) => {
    choose();
    await using db = open({ deadlineMs: 500 });
    const told = endless(piece, (socket) => socket.write(begin));
    server.tell(told.reply);
    const before = held();
    expect(await failureOf(db.query("select"))).toMatchObject({ fate: "unknown", retryable: false });
    await until(() => told.closed);
    // what sockets and streams on both sides hold counts, too
    expect(held() - before).toBeLessThan(128 * MEBIBYTE);
  });

  test("what is small on its way and large when it is unpacked is not unpacked beyond the limit", async () => {
    choose();
    const bomb = gzipSync(Buffer.alloc(256 * MEBIBYTE, " "));
    server.tell((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    await using db = open({ maxResponseBytes: MEBIBYTE });
    held();
    // of buffers alone: those that nobody needs any more count, too
    const before = process.memoryUsage().arrayBuffers;
    expect(await failureOf(db.query("select"))).toMatchObject({ fate: "unknown", retryable: false });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(128 * MEBIBYTE);
  });

  test("an answer that dribbles ends with its call, at the deadline, an attempt's time-out and an abort", async () => {
    choose();
    await using db = open();
    let closed = 0;
    server.tell((request, response) => {
      request.socket.on("close", () => closed++);
      dribble(request, response);
    });
    const before = server.bodies.length;
    const late = () => db.query("select", [], { deadlineMs: 150 });
    expect(await failureAfter(late, { ms: 150, once: () => server.bodies.length > before })).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      fate: "unknown",
    });
    expect(await failureOf(db.query("select", [], { attemptTimeoutMs: 150 }))).toMatchObject({ code: "ATTEMPT_TIMEOUT", fate: "unknown" });
    expect(await failureOf(db.query("select", [], { signal: AbortSignal.timeout(150) }))).toMatchObject({
      code: "ABORTED",
      fate: "unknown",
    });
    await until(() => closed === 3);
  });
});
