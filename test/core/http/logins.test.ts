import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import { type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { takeRefusingPort } from "../../support/refusing-port.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";
import { type Doorman, startDoorman } from "../fates/doorman.ts";
import { answer, startToldServer, type ToldServer } from "./told-server.ts";

/** An error as Neon's proxy writes it: 17 keys, and no code where no server spoke. Source: neondatabase/neon, `sql_over_http.rs`. */
const neons = (message: string, report: object = {}) => ({
  ...{
    message,
    code: "",
    detail: null,
    hint: null,
    position: null,
    internalPosition: null,
    internalQuery: null,
    severity: "",
    where: null,
  },
  ...{ table: null, column: null, schema: null, dataType: null, constraint: null, file: null, line: null, routine: null },
  ...report,
});
const fatal = (code: string) =>
  neons("said by Postgres", { code, severity: "FATAL", file: "postinit.c", line: "1", routine: "InitPostgres" });

describe("what Neon's proxy says of a login", () => {
  let server: ToldServer;
  beforeAll(async () => {
    server = await startToldServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const open = (options: DatabaseOptions = {}): Database =>
    openPool({ transport: "http", endpoint: server.url, url: "postgres://app:secret@db.invalid/app", ...options });

  /** How often it was asked for one call, and what the call ended with. */
  async function ask(status: number, body: object, options?: DatabaseOptions) {
    server.tell(answer(status, body));
    await using db = open(options);
    const before = server.bodies.length;
    const error = await failureOf(db.query("insert"));
    const asked = server.bodies.length - before;
    await using another = open(options);
    expect(await failureOf(another.batch([sql`insert`, sql`insert`]))).toMatchObject({ code: error.code, fate: error.fate });
    return { error, asked };
  }

  const refused: readonly (readonly [title: string, status: number, body: object, code: string, asked: number])[] = [
    ["a wrong password", 400, neons("password authentication failed for user 'app'"), "28P01", 1],
    [
      "an address that is not let in",
      400,
      neons("This IP address 1.2.3.4 is not allowed to connect to this endpoint. Please …"),
      "28000",
      1,
    ],
    ["no password", 400, neons("missing authentication credentials: required password"), "28000", 1],
    ["too many logins", 500, neons("Too many connections to this endpoint. Please try again later."), "53300", 3],
    ["too many logins at once", 500, neons("Failed to acquire permit to connect to the database. Too many …"), "53300", 3],
    ["a control plane that fails", 500, neons("Control plane request failed: endpoint is disabled"), "08001", 5],
    ["a compute that refuses", 500, neons("error connecting to server: Connection refused (os error 111)"), "08001", 5],
    ["a compute that is lost while logging in", 500, neons("error communicating with the server: unexpected end of file"), "08001", 5],
    ["no such database", 500, fatal("3D000"), "3D000", 1],
    ["no right to connect", 500, fatal("42501"), "42501", 1],
    ["a full server", 500, fatal("53300"), "53300", 3],
    ["a server that starts", 500, fatal("57P03"), "57P03", 5],
    ["a server that shuts down", 500, fatal("57P01"), "57P01", 5],
    ["a pooler without a server", 500, fatal("08006"), "08006", 5],
    ["no such database, as the local endpoint does", 400, fatal("3D000"), "3D000", 1],
    ["a wrong password, as the local endpoint does", 400, fatal("28P01"), "28P01", 1],
  ];

  test.each(refused)("%s (%i) was not sent", async (_, status, body, code, asked) => {
    const { error, ...seen } = await ask(status, body);
    expect(error).toMatchObject({ name: "DatabaseError", code, sqlState: code, severity: "FATAL", fate: "not-sent", retryable: asked > 1 });
    expect(error).not.toHaveProperty("status");
    expect(seen).toEqual({ asked });
  });

  test("a password function is asked for another password once", async () => {
    const passwords = ["old", "new"];
    const { error, asked } = await ask(400, neons("password authentication failed for user 'app'"), {
      password: () => passwords.shift() ?? "newest",
    });
    expect(error).toMatchObject({ code: "28P01", fate: "not-sent", retryable: true });
    expect([asked, passwords]).toEqual([2, []]);
  });

  test("a login that is refused opens no breaker, and is none that a fallback answers", async () => {
    server.tell(answer(500, fatal("3D000")));
    await using db = open();
    const fallback = () => [{ word: "stale" }];
    for (let call = 0; call < 8; call++) {
      expect(await failureOf(db.query("select", [], { readOnly: true, fallback }))).toMatchObject({ code: "3D000" });
    }
    expect(db.stats().breaker).toBe("closed");
  });

  /** Of the same shapes, and said of a statement. */
  const unclear: readonly (readonly [title: string, status: number, body: object, code: string])[] = [
    ["a connection that was lost under a statement", 400, neons("connection closed"), "HTTP_STATUS"],
    ["one that broke under it", 400, neons("error communicating with the server: Connection reset by peer"), "HTTP_STATUS"],
    ["an answer of Postgres' that the proxy cannot write", 500, neons("could not parse postgres response"), "HTTP_STATUS"],
    ["words of a login with a code", 400, neons("password authentication failed for user 'app'", { code: "08P01" }), "08P01"],
    ["words of a login in another shape", 400, { message: "password authentication failed for user 'app'", code: "" }, "HTTP_STATUS"],
    ["words of a login at another status", 502, neons("error connecting to server"), "HTTP_STATUS"],
    ["words of a login further on", 400, neons("error: password authentication failed for user 'app'"), "HTTP_STATUS"],
    ["a server that shuts down under it", 400, fatal("57P01"), "57P01"],
    ["a server that crashed under it", 400, fatal("57P02"), "57P02"],
    ["a pooler that lost its server under it", 400, fatal("08006"), "08006"],
    ["a FATAL of something else than Neon's proxy", 500, { message: "lost", code: "08006", severity: "FATAL" }, "08006"],
  ];

  test.each(unclear)("%s (%i) may have been done, and is asked once", async (_, status, body, code) => {
    const { error, asked } = await ask(status, body);
    expect(error).toMatchObject({ code, fate: "unknown" });
    expect(asked).toBe(1);
  });

  test("a statement that raises what a login ends with was refused by its server, not at its door", async () => {
    const { error, asked } = await ask(400, neons("no", { code: "28000", severity: "ERROR", routine: "exec_stmt_raise" }));
    expect(error).toMatchObject({ code: "28000", fate: "refused" });
    expect(asked).toBe(1);
  });
});

describe("over the local endpoint, a login", () => {
  let doorman: Doorman;
  let endpoint: Endpoint;
  beforeAll(async () => {
    doorman = await startDoorman();
    endpoint = await startEndpoint({ databaseUrl: urlAt(doorman), port: 0 });
  });
  afterAll(async () => {
    await endpoint.stop();
    await doorman[Symbol.asyncDispose]();
  });

  /** Over HTTP, and over a connection of one's own to the same server. */
  const bothWays = (change: (url: URL) => void): readonly (() => Database)[] => {
    const url = new URL(urlAt(doorman));
    change(url);
    return [() => openPool({ url: url.href }), () => openPool({ url: url.href, transport: "http", endpoint: endpoint.url })];
  };

  const turnedAway = ["28P01", "28000", "3D000", "42501", "53300", "57P03", "08001", "08006", "57P01"];
  const wrong: Readonly<Record<string, (url: URL) => void>> = {
    "a wrong password": (url) => (url.password = "wrong"),
    "a user that is not there": (url) => (url.username = "nobody"),
    "a database that is not there": (url) => (url.pathname = "/nowhere"),
  };

  test.each(turnedAway)("that is turned away with %s ends as over a pool", async (refusal) => {
    const seen: object[] = [];
    // a login of its own: over another one's connection the endpoint would let the query in
    for (const open of bothWays((url) => url.searchParams.set("application_name", `turned away with ${refusal}`))) {
      await using db = open();
      doorman.refuse(...Array<string>(9).fill(refusal));
      const { name: kind, code, fate, retryable } = await failureOf(db.query("select 1"));
      seen.push({ kind, code, fate, retryable, refused: doorman.refused });
      doorman.refuse();
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject({ kind: "DatabaseError", code: refusal, fate: "not-sent" });
  });

  test.each(Object.entries(wrong))("with %s ends as over a pool", async (_, change) => {
    const seen: object[] = [];
    for (const open of bothWays(change)) {
      await using db = open();
      const { name, message, code, fate, retryable } = await failureOf(db.query("select 1"));
      seen.push({ name, message, code, fate, retryable });
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject({ name: "DatabaseError", fate: "not-sent", retryable: false });
  });

  test("that is turned away twice is repeated, and the statement runs once", async () => {
    await using db = openPool({ url: urlAt(doorman), transport: "http", endpoint: endpoint.url });
    doorman.refuse("53300", "reset");
    const { rows, via } = await db.query("select 1 as n");
    expect([rows, via.attempts, doorman.refused]).toEqual([[{ n: 1 }], 3, 2]);
  });

  test("to a server that is down was not sent, and is tried five times", async () => {
    await using nowhere = await takeRefusingPort();
    const before = await startEndpoint({ databaseUrl: `postgres://127.0.0.1:${nowhere.port}/x`, port: 0 });
    try {
      await using db = openPool({ transport: "http", endpoint: before.url });
      expect(await failureOf(db.query("insert"))).toMatchObject({
        name: "DatabaseError",
        code: "08001",
        fate: "not-sent",
        retryable: true,
      });
      expect([before.requests, db.stats().retries]).toEqual([5, 4]);
      const { rows, via } = await db.query("select", [], { readOnly: true, fallback: () => [{ word: "stale" }] });
      expect([rows, via.fallback]).toEqual([[{ word: "stale" }], true]);
    } finally {
      await before.stop();
    }
  });

  test("that is refused is asked for again with another password, and the statement runs", async () => {
    const passwords = ["wrong", new URL(urlAt()).password];
    await using db = openPool({ url: urlAt(doorman), transport: "http", endpoint: endpoint.url, password: () => passwords.shift() ?? "" });
    expect((await db.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });
});
