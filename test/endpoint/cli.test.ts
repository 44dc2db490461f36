import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { neonConfig, Pool } from "@neondatabase/serverless";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { databaseUrl, eventually, postTo, soon, useEndpoint } from "./local-endpoint.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const { running } = useEndpoint();

/** Runs a command in this process. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, isTTY = false) {
  const stopping = new AbortController();
  const written = { output: "", errors: "" };
  const stdout = { isTTY, write: (text: string) => (written.output += text) };
  const stderr = { isTTY, write: (text: string) => (written.errors += text) };
  const code = runCommandLine(args, { env, stdout, stderr, stopping: stopping.signal });
  const until = (said: RegExp) =>
    eventually(
      soon(() => written.output + written.errors),
      (all) => said.test(all),
    );
  return {
    written,
    until,
    ended: code.then((exitCode) => ({ code: exitCode, ...written })),
    /** The endpoint it says it has, once it has looked at the server. */
    async listening() {
      await until(/Database|No database/);
      const url = /http:\/\/[\d.]+:\d+/.exec(written.output)?.[0] ?? "";
      return { url, port: Number(new URL(url).port), requests: 0, stop: async () => {} };
    },
    async stop() {
      stopping.abort();
      return { code: await code, ...written };
    },
  };
}

/** A port where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** Something that answers the first bytes of each connection. */
async function listenOn(port: number, answer: string) {
  const server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.write(answer))).listen(port, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as { port: number }).port, [Symbol.asyncDispose]: async () => void server.close() };
}

describe("warmline", () => {
  test.each([[[]], [["--help"]], [["-h"]], [["--version", "--help"]]])("with %j lists its commands and exit codes", async (args) => {
    const { code, output, errors } = await run(args).ended;
    expect([code, errors]).toEqual([0, ""]);
    for (const word of ["endpoint", "--version", "Exit codes"]) expect(output).toContain(word);
  });

  test.each(["--version", "-v"])("%s is the version alone", async (flag) => {
    const { version } = (await import("../../package.json", { with: { type: "json" } })).default;
    expect(await run([flag]).ended).toEqual({ code: 0, output: `${version}\n`, errors: "" });
  });

  test("needs for its version and help nothing that a command needs, and says in one line what that lacks", () => {
    const lacking = `import { registerHooks } from "node:module"; registerHooks({ resolve(name, context, next) {
      if (name === "pg") throw new Error("No pg is here");
      return next(name, context);
    } });`;
    const say = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--import", `data:text/javascript,${encodeURIComponent(lacking)}`, MAIN, ...args],
        { encoding: "utf8" },
      );
      return { code: status, output: stdout, errors: stderr };
    };
    expect(say("--version")).toMatchObject({ code: 0, errors: "" });
    expect(say("--help")).toMatchObject({ code: 0, errors: "" });
    for (const command of ["doctor", "endpoint"]) {
      expect(say(command), command).toEqual({ code: 1, output: "", errors: "warmline: No pg is here\n" });
    }
  });

  test.each<[string, readonly string[], RegExp]>([
    ["a command that was mistyped", ["endpiont"], /Unknown command endpiont\. Did you mean endpoint\?/],
    ["a command of another kind", ["toString"], /Unknown command toString\. Run "warmline --help"/],
    ["a URL in place of a command", ["postgres://u:canary@h/d"], /Unknown command\. Run/],
    ["an option that was mistyped", ["--hepl"], /Unknown option --hepl\. Did you mean --help\?/],
    ["an option that is a command's", ["--port", "canary"], /Unknown option --port\./],
    ["a value that none takes", ["--version=canary"], /--version takes no value\./],
    [
      "an option of endpoint that was mistyped",
      ["endpoint", "--databse-url=postgres://u:canary@h/d"],
      /--databse-url\. Did you mean --database-url\?/,
    ],
    ["the same with a space", ["endpoint", "--databse-url", "postgres://u:canary@h/d"], /--databse-url\. Did you mean --database-url\?/],
    ["an option like no other", ["endpoint", "--retries", "canary"], /Unknown option --retries\. Run "warmline endpoint --help"/],
    ["a short option", ["endpoint", "-pcanary"], /Unknown option -p\./],
    ["a URL with dashes", ["endpoint", "--postgres://u:canary@h/d=1"], /Unknown option\. Run/],
    ["an argument", ["endpoint", "canary"], /warmline endpoint takes options alone/],
    ["an argument behind --", ["endpoint", "--", "canary"], /warmline endpoint takes options alone/],
    ["a missing value", ["endpoint", "--port"], /--port needs a value, such as --port 4444/],
    ["a flag for a value", ["endpoint", "--database-url", "--verbose"], /--database-url needs a value/],
    ["an empty value", ["endpoint", "--token="], /--token needs a value/],
    ["no URL", ["endpoint"], /No database URL\. Give --database-url, or set DATABASE_URL\.$/],
    ["a URL that is none", ["endpoint", "--database-url", "mysql://u:canary@h/d"], /The setting --database-url must be like postgres:/],
    ["a URL without a host", ["endpoint", "--database-url", "postgres:///canary"], /--database-url names no host/],
    ["a bad port", ["endpoint", "--port", "canary", "--database-url", "postgres://h/d"], /--port must be a whole number/],
    ["a port out of range", ["endpoint", "--port", "99999", "--database-url", "postgres://h/d"], /--port must be a whole number/],
    ["another host", ["endpoint", "--host", "0.0.0.0", "--database-url", "postgres://h/d"], /loopback only.*Add --token/],
    ["no such file", ["endpoint", "--env-file", "/canary/.env"], /--env-file names a file that cannot be read/],
  ])("told of %s names it in one line, quotes no value and exits with 2", async (_, args, said) => {
    const { code, output, errors } = await run(args).ended;
    expect([code, output, errors.trimEnd().split("\n").length]).toEqual([2, "", 1]);
    expect(errors.trimEnd()).toMatch(said);
    expect(errors).toMatch(/^warmline: /);
    expect(errors).not.toContain("canary");
  });

  test.each<[string, Readonly<Record<string, string>>, RegExp]>([
    ["DATABASE_URL that is none", { DATABASE_URL: "mysql://u:canary@h/d" }, /The setting DATABASE_URL must be/],
    ["a platform's variable", { POSTGRES_URL: "postgres://u:canary@h/d" }, /POSTGRES_URL is set: --database-url "\$POSTGRES_URL"\./],
    ["an empty token", { DATABASE_URL: "postgres://h/d", WARMLINE_ENDPOINT_TOKEN: "" }, /WARMLINE_ENDPOINT_TOKEN is empty/],
  ])("names a variable: %s", async (_, env, said) => {
    const { code, errors } = await run(["endpoint"], env).ended;
    expect([code, errors]).toEqual([2, expect.stringMatching(said)]);
    expect(errors).not.toContain("canary");
  });

  test("explains endpoint", async () => {
    const { code, output } = await run(["endpoint", "--help"]).ended;
    expect(code).toBe(0);
    const flags = ["--database-url", "--port", "--host", "--token", "--env-file", "--verbose", "Exit codes"];
    for (const word of flags) expect(output).toContain(word);
    expect(output.split("\n").filter((line) => line.length > 130)).toEqual([]);
  });
});

describe("warmline endpoint", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("serves until %s and exits with 0, without colours when piped", async (signal) => {
    const env = { ...process.env, FORCE_COLOR: "1", DATABASE_URL: inject("postgres").url };
    const child = spawn(process.execPath, [MAIN, "endpoint", "--port", "0"], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    const ended = once(child, "close");
    while (!output.includes("Database")) await Promise.race([once(child.stdout, "data"), ended]);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0] ?? "";
    const at = { url, port: 0, requests: 0, stop: async () => {} };
    expect((await postTo(at, { query: "select 1 as n" })).body).toMatchObject({ rows: [{ n: 1 }] });
    expect((await postTo(at, { query: "select canary" })).status).toBe(400);
    child.kill(signal);
    expect((await ended)[0]).toBe(0);
    expect(output.trimEnd().split("\n")).toEqual([
      `Listening on ${url}`,
      `Set WARMLINE_ENDPOINT=${url}, and DATABASE_URL to the database's own, with user and password`,
      `Neon's driver, Drizzle, Prisma: the lines to write are on ${url}/`,
      expect.stringMatching(/^Database Postgres \d+[\d.]* at 127\.0\.0\.1:\d+, round trip [\d.]+ ms$/),
    ]);
    expect(errors).toMatch(/^\d\d:\d\d:\d\d POST \/sql 400 42703 undefined column, [\d.]+ ms\n$/);
    expect(output + errors).not.toContain(inject("postgres").password);
  });

  test("says that its port is in use, and exits with 1", async () => {
    const { port } = running();
    const { code, errors } = await run(["endpoint", "--port", `${port}`], { DATABASE_URL: inject("postgres").url }).ended;
    expect([code, errors]).toEqual([1, `warmline: Port ${port} is in use. Choose another with --port, or 0 for any free one.\n`]);
  });

  test("reads variables of a file, and those of the environment before them", async () => {
    const folder = await mkdtemp(join(tmpdir(), "warmline-cli-"));
    const file = join(folder, ".env");
    await writeFile(file, `DATABASE_URL=${inject("postgres").url}\nWARMLINE_ENDPOINT_TOKEN=canary\n`);
    const command = run(["endpoint", "--port", "0", "--env-file", file], { WARMLINE_ENDPOINT_TOKEN: "open sesame" });
    const at = await command.listening();
    expect((await postTo(at, { query: "select 1" }, { headers: { Authorization: "Bearer open sesame" } })).status).toBe(200);
    expect((await postTo(at, { query: "select 1" }, { headers: { Authorization: "Bearer canary" } })).status).toBe(401);
    const { code, output, errors } = await command.stop();
    expect([code, output]).toEqual([0, expect.stringContaining("authToken")]);
    expect(errors).toMatch(/POST \/sql 401 Unauthorized/);
    expect(output + errors).not.toMatch(/canary|sesame|WARMLINE_ENDPOINT=/);
    await rm(folder, { recursive: true });
  });

  test("waits for a database that is not there, loudly, and says when it has come", async () => {
    const port = await freePort();
    const command = run(["endpoint", "--port", "0", "--database-url", `postgres://127.0.0.1:${port}/canary`]);
    const at = await command.listening();
    expect((await postTo(at, { query: "select 1" })).status).toBe(500);
    expect(command.written.errors).toMatch(
      new RegExp(
        `^No database at 127\\.0\\.0\\.1:${port}: nothing listens there \\(CONNECT_FAILED, ECONNREFUSED\\)\n.*--database-url.*every second\\.\n` +
          "[\\d:]+ POST /sql 500 08001 the server was not reached: nothing listens there \\(CONNECT_FAILED, ECONNREFUSED\\), ",
      ),
    );
    await using _ = await listenOn(port, "N");
    await command.until(/Database reached at 127\.0\.0\.1:\d+, round trip [\d.]+ ms; nobody logged in, \d+ s later\n/);
    const { code, output, errors } = await command.stop();
    expect([code, output + errors]).toEqual([0, expect.not.stringContaining("canary")]);
  });

  test.each<[string, () => Promise<string>, RegExp]>([
    [
      "a wrong password",
      async () => databaseUrl((url) => (url.password = "canary")),
      /refuses the login of DATABASE_URL: invalid password \(28P01\)\./,
    ],
    [
      "an unknown database",
      async () => databaseUrl((url) => (url.pathname = "/canary")),
      /invalid catalog name \(3D000\)\. Correct user, password/,
    ],
    ["no TLS", async () => databaseUrl((url) => url.searchParams.set("sslmode", "require")), /it speaks no TLS.*\(TLS_FAILED\).*sslmode/],
  ])("exits with 1 and says why where the database refuses: %s", async (_, url, said) => {
    const { code, errors } = await run(["endpoint", "--port", "0"], { DATABASE_URL: await url() }).ended;
    expect([code, errors.trimEnd().split("\n").length, errors]).toEqual([1, 1, expect.stringMatching(said)]);
    expect(errors).not.toContain("canary");
  });

  test("tells what is no Postgres from a database", async () => {
    await using other = await listenOn(0, "HTTP/1.1 400 Bad Request\r\n\r\n");
    const command = run(["endpoint", "--port", "0"], { DATABASE_URL: `postgres://u:canary@127.0.0.1:${other.port}/d` });
    await command.until(/what answers there is not Postgres \(CONNECT_FAILED\)/);
    expect((await command.stop()).code).toBe(0);
  });

  describe("in its log", () => {
    let quiet: ReturnType<typeof run>;
    let verbose: ReturnType<typeof run>;

    beforeAll(() => {
      quiet = run(["endpoint", "--port", "0"], { DATABASE_URL: inject("postgres").url }, true);
      verbose = run(["endpoint", "--port", "0", "--verbose"], { DATABASE_URL: inject("postgres").url, NO_COLOR: "1" }, true);
    });
    afterAll(async () => {
      await Promise.all([quiet.stop(), verbose.stop()]);
    });

    test("tells the same failure once and counts the others, and no value", async () => {
      const at = await quiet.listening();
      for (let n = 0; n < 4; n += 1) await postTo(at, { query: "select 'canary'::int, $1::int", params: [`canary ${n}`] });
      await postTo(at, { query: "insert into canary values (1)" });
      await postTo(at, { query: "select 1" });
      const { output, errors } = await quiet.stop();
      const plain = stripVTControlCharacters(errors);
      expect(plain.trimEnd().split("\n")).toEqual([
        expect.stringMatching(/POST \/sql 400 22P02 invalid text representation, /),
        expect.stringMatching(/POST \/sql 400 42P01 undefined table, /),
        "… 3 more: POST /sql 400 22P02 invalid text representation",
      ]);
      expect([plain === errors, output]).toEqual([false, expect.stringContaining("\u001b[36mhttp")]);
      expect(output + errors).not.toContain("canary");
    });

    test("tells with --verbose of requests, connections and WebSockets, and without colours where NO_COLOR is set", async () => {
      const at = await verbose.listening();
      await postTo(at, { query: "select 1" });
      await fetch(at.url);
      for (const password of [inject("postgres").password, "canary", "canary"]) {
        Object.assign(neonConfig, { wsProxy: `127.0.0.1:${at.port}/v2`, useSecureWebSocket: false });
        const pool = new Pool({ connectionString: databaseUrl((url) => (url.password = password)) });
        await pool.query("select 1").catch(() => {});
        await pool.end();
      }
      const { output, errors } = await verbose.stop();
      const lines = output.trimEnd().split("\n").slice(4);
      expect(lines.map((line) => line.replace(/^[\d:]{8} /, "").replace(/, [\d.]+ ms$/, ""))).toEqual([
        "connected to the server, for HTTP",
        "POST /sql 200",
        "GET / 200",
        "connected to the server, for a WebSocket",
        "WebSocket /v2 101",
      ]);
      expect(errors.match(/WebSocket \/v2 101 28P01 invalid password/g)).toHaveLength(2);
      for (const word of ["canary", "\u001b"]) expect(output + errors).not.toContain(word);
    });
  });
});
