import { createServer } from "node:net";
import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createDatabase, type DatabaseOptions, sql, type WarmlineError } from "../../../src/entry/node.ts";
import { takeRefusingPort } from "../../support/refusing-port.ts";
import { failureOf, until } from "../databases.ts";
import { failureAfter } from "../passing-deadline.ts";
import { answer, oneRow, type Reply, startToldServer, type ToldServer } from "./told-server.ts";

const password = "canary-of-the-password";
const value = "canary-of-a-value";
const statement = sql`select ${value}::text as word`;

let server: ToldServer;
beforeAll(async () => {
  server = await startToldServer();
});
afterAll(() => server[Symbol.asyncDispose]());

function open(options: DatabaseOptions = {}) {
  return createDatabase({
    host: "db.invalid",
    database: "app",
    user: "app",
    password,
    sslMode: "require",
    transport: "http",
    endpoint: server.url,
    deadlineMs: 20_000,
    ...options,
  });
}

/** What a call fails with, after a look for secrets in it. */
async function fault(send: Promise<unknown>): Promise<WarmlineError> {
  return withoutSecrets(await failureOf(send));
}

function withoutSecrets(error: WarmlineError): WarmlineError {
  const shown = [error.message, error.stack, JSON.stringify(error), inspect(error, { depth: 20 })].join("\n");
  expect(shown).not.toContain(password);
  expect(shown).not.toContain(value);
  return error;
}

const field = { name: "word", tableID: 0, columnID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1, format: "text" };
const good = { fields: [field], rows: [["x"]], command: "SELECT", rowCount: 1, rowAsArray: true };
const report = (code: string | undefined, more = {}) => ({ message: `the server said ${value}`, code, severity: "ERROR", ...more });

const fiveHundreds = [
  [500, { msg: "Internal error" }],
  [502, "<html><body>Bad gateway</body></html>"],
  [503, { msg: "unavailable" }],
  [504, ""],
] as const;

interface Fault {
  readonly title: string;
  readonly reply: Reply;
  readonly error: object;
  /** Of a batch, where it differs. */
  readonly batch?: object;
}

const unknown = (code: string) => ({ name: "ConnectionError", code, fate: "unknown", retryable: false });
const refused = { name: "ConnectionError", code: "HTTP_STATUS", fate: "refused" };

const faults: readonly Fault[] = [
  { title: "400 with a SQLSTATE", reply: answer(400, report("42601")), error: { name: "DatabaseError", code: "42601", fate: "refused" } },
  {
    title: "400 of a connection that the endpoint lost (08P01)",
    reply: answer(400, report("08P01")),
    error: { name: "DatabaseError", code: "08P01", fate: "unknown" },
  },
  {
    title: "400 of a server that died after the statement (57P01 FATAL)",
    reply: answer(400, report("57P01", { severity: "FATAL" })),
    error: { name: "DatabaseError", code: "57P01", fate: "unknown" },
  },
  { title: "400 of the endpoint's own failure (XX000)", reply: answer(400, report("XX000")), error: { code: "XX000", fate: "unknown" } },
  { title: "400 without a code", reply: answer(400, report(undefined)), error: unknown("HTTP_STATUS") },
  { title: "400 with a code that is no SQLSTATE", reply: answer(400, { message: "write", code: "EPIPE" }), error: unknown("HTTP_STATUS") },
  { title: "400 with a code in small letters", reply: answer(400, report("2350a")), error: unknown("HTTP_STATUS") },
  { title: "400 with a code of six characters", reply: answer(400, report("235055")), error: unknown("HTTP_STATUS") },
  { title: "400 with a number for a code", reply: answer(400, { ...report(undefined), code: 23505 }), error: unknown("HTTP_STATUS") },
  { title: "400 with a code and no message", reply: answer(400, { code: "23505", severity: "ERROR" }), error: unknown("HTTP_STATUS") },
  { title: "400 with JSON null", reply: answer(400, "null"), error: unknown("HTTP_STATUS") },
  {
    title: "400 with a SQLSTATE of letters alone, and a severity",
    reply: answer(400, report("ABCDE")),
    error: { name: "DatabaseError", code: "ABCDE", fate: "refused" },
  },
  ...[401, 402, 403, 404, 413, 431].map((status) => ({
    title: String(status),
    reply: answer(status, { msg: "no" }),
    error: { ...refused, retryable: false },
  })),
  { title: "429", reply: answer(429, { msg: "slow down" }), error: { ...refused, retryable: true } },
  ...fiveHundreds.map(([status, body]) => ({ title: String(status), reply: answer(status, body), error: unknown("HTTP_STATUS") })),
  { title: "507", reply: answer(507, { message: "too large" }), error: unknown("HTTP_STATUS"), batch: { ...refused, retryable: false } },
  { title: "204 without a body", reply: answer(204), error: unknown("BAD_RESPONSE") },
  { title: "an empty body", reply: answer(200), error: unknown("BAD_RESPONSE") },
  { title: "a body that is no JSON", reply: answer(200, "<html>login</html>"), error: unknown("BAD_RESPONSE") },
  { title: "JSON cut in the middle", reply: answer(200, JSON.stringify(good).slice(0, 60)), error: unknown("BAD_RESPONSE") },
  { title: "JSON null", reply: answer(200, "null"), error: unknown("BAD_RESPONSE") },
  { title: "JSON of another shape", reply: answer(200, { ok: true }), error: unknown("BAD_RESPONSE") },
  { title: "a list without results", reply: answer(200, { results: [] }), error: unknown("BAD_RESPONSE") },
  { title: "results without rows", reply: answer(200, { results: [{}, {}] }), error: unknown("BAD_RESPONSE") },
  { title: "rows that are no rows", reply: answer(200, { ...good, rows: [7] }), error: unknown("BAD_RESPONSE") },
  { title: "rows that are null", reply: answer(200, { ...good, rows: [null] }), error: unknown("BAD_RESPONSE") },
  { title: "columns that are no columns", reply: answer(200, { ...good, fields: [null] }), error: unknown("BAD_RESPONSE") },
  { title: "rows wider than their columns", reply: answer(200, { ...good, fields: [] }), error: unknown("BAD_RESPONSE") },
  {
    title: "a body cut by the connection's end",
    reply: (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{");
      setImmediate(() => response.destroy());
    },
    error: unknown("CONNECTION_LOST"),
  },
  { title: "a reset instead of an answer", reply: (request) => request.socket.resetAndDestroy(), error: unknown("CONNECTION_LOST") },
  { title: "an end instead of an answer", reply: (request) => request.socket.end(), error: unknown("CONNECTION_LOST") },
  {
    title: "an answer that is no HTTP",
    reply: (request) => request.socket.end("not http at all\r\n\r\n"),
    error: unknown("CONNECTION_LOST"),
  },
];

test("an endpoint that once says nothing holds a read no longer than an attempt may take", async () => {
  let asked = 0;
  server.tell((request, response) => ++asked > 1 && answer(200, oneRow)(request, response));
  await using db = open({ deadlineMs: 60_000 });
  const { rows, via } = await db.query("select 'x' as word", [], { idempotent: true, attemptTimeoutMs: 300 });
  expect([rows, via.attempts]).toEqual([[{ word: "x" }], asked]);
  expect(asked).toBeGreaterThan(1);
});

describe.each(faults)("an endpoint that answers with $title", ({ reply, error, batch = error }) => {
  beforeEach(() => server.tell(reply));

  test("fails a query with that code and fate, and is asked once", async () => {
    await using db = open();
    const before = server.bodies.length;
    expect(await fault(db.query(statement))).toMatchObject(error);
    expect(server.bodies.length - before).toBe(1);
  });

  test("fails a batch likewise", async () => {
    await using db = open();
    const before = server.bodies.length;
    expect(await fault(db.batch([statement, statement]))).toMatchObject(batch);
    expect(server.bodies.length - before).toBe(1);
  });
});

describe("an endpoint that answers too little or too much", () => {
  test("fails a query that gets the results of a batch", async () => {
    server.tell(answer(200, { results: [good, good] }));
    await using db = open();
    expect(await fault(db.query(statement))).toMatchObject(unknown("BAD_RESPONSE"));
  });

  test("fails a batch that gets fewer results than statements, or the result of a query", async () => {
    await using db = open();
    for (const body of [{ results: [good] }, good]) {
      server.tell(answer(200, body));
      expect(await fault(db.batch([statement, statement]))).toMatchObject(unknown("BAD_RESPONSE"));
    }
  });

  test("is believed when the answer is whole", async () => {
    await using db = open();
    server.tell(answer(200, good));
    expect((await db.query(statement)).rows).toEqual([{ word: "x" }]);
    server.tell(answer(200, { results: [good, good] }));
    expect((await db.batch([statement, statement])).map(({ rows }) => rows)).toEqual([[{ word: "x" }], [{ word: "x" }]]);
  });
});

describe("an endpoint that redirects", () => {
  test.each([301, 302, 303, 307, 308])("with %i is not followed: the other origin sees no request", async (status) => {
    await using other = await startToldServer();
    other.tell(answer(200, good));
    server.tell(answer(status, "", { location: `${other.url}/sql` }));
    await using db = open();
    const error = await fault(db.query(statement));
    expect(error).toMatchObject({ code: "REDIRECT_REFUSED", fate: "unknown", retryable: false });
    expect(error.message).toContain("endpoint");
    expect(other.bodies).toEqual([]);
  });
});

describe("an endpoint that is slow", () => {
  const slow: readonly (readonly [string, Reply])[] = [
    ["to begin", () => {}],
    ["with its body", (_, response) => void response.writeHead(200).flushHeaders()],
    [
      "in the middle",
      (_, response) => {
        response.writeHead(200);
        response.write(JSON.stringify(good).slice(0, 20));
      },
    ],
    ["to tell a refusal", (_, response) => void response.writeHead(401).flushHeaders()],
  ];

  test.each(slow)("%s is given up at the deadline", async (_, reply) => {
    server.tell(reply);
    await using db = open();
    const before = server.bodies.length;
    const late = () => db.query(statement, { deadlineMs: 150 });
    const error = withoutSecrets(await failureAfter(late, { ms: 150, once: () => server.bodies.length > before }));
    expect(error).toMatchObject({ name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "unknown", retryable: false });
    expect(server.bodies.length - before).toBe(1);
  });

  test("sees its connection end when the signal is aborted", async () => {
    const closed = Promise.withResolvers<void>();
    server.tell((request) => request.socket.once("close", closed.resolve));
    await using db = open();
    const controller = new AbortController();
    const before = server.bodies.length;
    const failure = fault(db.query(statement, { signal: controller.signal }));
    await until(() => server.bodies.length > before);
    controller.abort();
    expect(await failure).toMatchObject({ code: "ABORTED", fate: "unknown" });
    await closed.promise;
  });

  test("is not asked at all when the signal is aborted before", async () => {
    await using db = open();
    const before = server.bodies.length;
    expect(await fault(db.query(statement, { signal: AbortSignal.abort() }))).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    expect(server.bodies.length).toBe(before);
  });
});

describe("an endpoint that cannot be reached", () => {
  test("because nobody listens, is not sent anything, five times", async () => {
    await using nowhere = await takeRefusingPort();
    await using db = open({ endpoint: `http://127.0.0.1:${nowhere.port}` });
    expect(await failureOf(db.query(statement))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
    expect(db.stats().retries).toBe(4);
  });

  test("because its name does not exist, is told within the deadline", async () => {
    await using db = open({ endpoint: "https://endpoint.invalid" });
    expect(await fault(db.query(statement))).toMatchObject({ fate: "not-sent", retryable: true });
  });

  test("because it speaks no TLS, is not sent anything, once", async () => {
    await using db = open({ endpoint: server.url.replace("http:", "https:") });
    const before = server.bodies.length;
    expect(await fault(db.query(statement))).toMatchObject({ code: "TLS_FAILED", fate: "not-sent", retryable: false });
    expect(db.stats().retries).toBe(0);
    expect(server.bodies.length).toBe(before);
  });

  test("because it ends every connection before TLS is there, is not sent anything, and is tried again", async () => {
    let greeted = 0;
    const closing = createServer((socket) => {
      socket.once("data", () => {
        greeted++;
        socket.resetAndDestroy();
      });
      socket.on("error", () => {});
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => closing.once("listening", resolve));
    await using db = open({ endpoint: `https://127.0.0.1:${(closing.address() as { readonly port: number }).port}` });
    expect(await failureOf(db.query(statement))).toMatchObject({ code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
    expect([greeted, db.stats().retries]).toEqual([5, 4]);
    closing.close();
  });
});

describe("an unknown fate", () => {
  test.each(["idempotent", "readOnly"] as const)("is asked again when the query is %s", async (claim) => {
    let asked = 0;
    server.tell((request, response) => {
      if (++asked === 1) return request.socket.resetAndDestroy();
      answer(200, claim === "readOnly" ? { results: [good] } : good)(request, response);
    });
    await using db = open();
    const result = await db.query(statement, { [claim]: true });
    expect(result.rows).toEqual([{ word: "x" }]);
    expect([result.via.attempts, asked, db.stats().retries]).toEqual([2, 2, 1]);
  });

  test("of an applied statement is none: a parser that throws is not asked again", async () => {
    server.tell(answer(200, good));
    await using db = open({
      types: {
        25: (text) => {
          throw new Error(`cannot read ${text} of ${value}`);
        },
      },
    });
    const before = server.bodies.length;
    const error = await fault(db.query(statement, { idempotent: true }));
    expect(error).toMatchObject({ name: "DecodeError", code: "DECODE_FAILED", fate: "applied", retryable: false });
    expect(server.bodies.length - before).toBe(1);
  });
});

test.each([
  ["an array", [1, 2], "{1,2}", /for a vector write JSON\.stringify\(…\)/],
  ["a typed array", Uint8Array.of(1, 2), "\\x0102", /write Array\.from\(…\)/],
] as const)("says what to write where pgvector cannot read %s", async (_, sent, read, hint) => {
  server.tell(answer(400, report("22P02", { message: `invalid input syntax for type vector: "${read}"`, routine: "vector_in" })));
  await using db = open();
  const error = await fault(db.sql`select ${sent}::vector`);
  expect(error).toMatchObject({ name: "DatabaseError", fate: "refused" });
  expect(error.message).toMatch(hint);
});
