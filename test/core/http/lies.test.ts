import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDatabase as createOnEdge } from "../../../src/entry/edge.ts";
import { createDatabase as createOnNode, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { failureOf } from "../databases.ts";
import { answer, oneRow, type Reply, startToldServer, type ToldServer } from "./told-server.ts";

let server: ToldServer;
beforeAll(async () => {
  server = await startToldServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const settings = () =>
  ({ host: "db.invalid", database: "app", user: "app", password: "p", sslMode: "require", endpoint: server.url }) as const;

/** Over the connections of our own, and over a runtime's `fetch`. */
const ways: Readonly<Record<string, (options?: DatabaseOptions) => ReturnType<typeof createOnEdge>>> = {
  "Node's agent": (options) => createOnNode({ ...settings(), transport: "http", ...options }),
  fetch: (options) => createOnEdge({ ...settings(), ...options }),
};

const [field] = oneRow.fields;
const twice = [sql`select 'x' as word`, sql`select 'x' as word`] as const;
const unreadable = { name: "ConnectionError", code: "BAD_RESPONSE", fate: "unknown", retryable: false };
const whole = JSON.stringify(oneRow);

/** What no field of an answer may hold, and the answer that holds it. */
const lies: readonly (readonly [what: string, answer: object])[] = [
  ...[7, true, {}, ["x"], { toString: "x" }].map(
    (cell) => [`a value that is ${JSON.stringify(cell)}`, { ...oneRow, rows: [[cell]] }] as const,
  ),
  ...["1", -1, 1.5, 1e20, {}, [1], true].map(
    (rowCount) => [`a rowCount that is ${JSON.stringify(rowCount)}`, { ...oneRow, rowCount }] as const,
  ),
  ...[1, {}, ["SELECT"], true].map((command) => [`a command that is ${JSON.stringify(command)}`, { ...oneRow, command }] as const),
  ...[1, null, {}].map((name) => [`a name that is ${JSON.stringify(name)}`, { ...oneRow, fields: [{ ...field, name }] }] as const),
  ...(["dataTypeID", "tableID", "columnID", "dataTypeSize", "dataTypeModifier"] as const).flatMap((key) =>
    ["25", null, 1.5, {}].map(
      (value) => [`a ${key} that is ${JSON.stringify(value)}`, { ...oneRow, fields: [{ ...field, [key]: value }] }] as const,
    ),
  ),
  ...["x", { length: 1 }, null].map((rows) => [`rows that are ${JSON.stringify(rows)}`, { ...oneRow, rows }] as const),
  ...["x", { length: 1 }, null].map((fields) => [`columns that are ${JSON.stringify(fields)}`, { ...oneRow, fields }] as const),
];

describe.each(Object.entries(ways))("over %s", (_, open) => {
  test.each(lies)("an answer with %s is not believed", async (_what, body) => {
    await using db = open();
    server.tell(answer(200, body));
    expect(await failureOf(db.query(twice[0]))).toMatchObject(unreadable);
    server.tell(answer(200, { results: [oneRow, body] }));
    expect(await failureOf(db.batch(twice))).toMatchObject(unreadable);
  });

  test("of what a column is only its name and its type have to be told, and what else is told is left out", async () => {
    await using db = open();
    server.tell(
      answer(200, { fields: [{ name: "__proto__", dataTypeID: 25, more: {} }], rows: [["x"]], command: "SELECT", viaNeonFetch: {} }),
    );
    const { rows, fields, rowCount } = await db.query(twice[0]);
    expect([JSON.stringify(rows), Object.keys(fields[0] ?? {}).includes("more"), rowCount]).toEqual(['[{"__proto__":"x"}]', false, null]);
  });

  test.each([true, false])("an answer that is cut at any byte may have been done, and its length is told: %s", async (told) => {
    const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n${told ? `content-length: ${whole.length}` : "connection: close"}\r\n\r\n`;
    const sent = Buffer.from(head + whole);
    for (let length = 0; length < sent.length; length++) {
      server.tell((request) => request.socket.end(sent.subarray(0, length)));
      await using db = open();
      const { code, fate } = await failureOf(db.query(twice[0]));
      expect([length, fate, ["CONNECTION_LOST", "BAD_RESPONSE"].includes(code)]).toEqual([length, "unknown", true]);
    }
  });

  test.each([
    ["text of another charset", { "content-type": "application/json; charset=utf-16le" }, Buffer.from(whole, "utf16le")],
    ["bytes that say they are gzip", { "content-encoding": "gzip" }, Buffer.from("no gzip")],
    ["half of what was packed", { "content-encoding": "gzip" }, gzipSync(whole).subarray(0, 40)],
    ["what says it is packed in a way nobody has heard of, and is not JSON", { "content-encoding": "zip" }, Buffer.from([80, 75, 3, 4])],
  ] as const)("%s may have been done", async (_what, headers, body) => {
    await using db = open();
    server.tell(told(headers, body));
    const { code, fate } = await failureOf(db.query(twice[0]));
    expect([fate, ["CONNECTION_LOST", "BAD_RESPONSE"].includes(code)]).toEqual(["unknown", true]);
  });

  test("what says it is JSON of another charset, and is text in UTF-8, is read", async () => {
    await using db = open();
    server.tell(told({ "content-type": "text/html; charset=latin1" }, Buffer.from(whole.replace('"x"', '"é🐘"'))));
    expect((await db.query(twice[0])).rows).toEqual([{ word: "é🐘" }]);
  });

  test("informational answers are none, and one that switches protocols is no answer to a statement", async () => {
    await using db = open();
    server.tell((_, response) => {
      response.writeEarlyHints({ link: "</x>; rel=preload" });
      response.writeProcessing();
      response.writeHead(200).end(whole);
    });
    expect((await db.query(twice[0])).rows).toEqual([{ word: "x" }]);
    server.tell((request) => request.socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"));
    expect(await failureOf(db.query(twice[0], { deadlineMs: 2_000 }))).toMatchObject({ fate: "unknown" });
  });
});

test("an answer that is packed although nobody asked for it is unpacked by fetch, and by Node's agent not believed", async () => {
  for (const [encoding, body] of [
    ["gzip", gzipSync(whole)],
    ["br", brotliCompressSync(whole)],
    ["deflate", deflateSync(whole)],
  ] as const) {
    server.tell(told({ "content-encoding": encoding }, body));
    await using onEdge = ways.fetch?.() as ReturnType<typeof createOnEdge>;
    expect((await onEdge.query(twice[0])).rows).toEqual([{ word: "x" }]);
    await using onNode = ways["Node's agent"]?.() as ReturnType<typeof createOnEdge>;
    expect(await failureOf(onNode.query(twice[0]))).toMatchObject(unreadable);
  }
});

function told(headers: Readonly<Record<string, string>>, body: Buffer): Reply {
  return (_, response) => {
    response.writeHead(200, headers);
    response.end(body);
  };
}
