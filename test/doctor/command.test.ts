import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runCommandLine } from "../../src/cli/command-line.ts";
import { createDatabase } from "../../src/entry/node.ts";
import { startPosing } from "../support/posing-server.ts";
import { takeRefusingPort } from "../support/refusing-port.ts";
import { startWire } from "../support/wire.ts";
import { type ServerUnderTest, startServerUnderTest } from "./server-under-test.ts";
import { type Files, makeProject } from "./workplace.ts";

let under: ServerUnderTest;

beforeAll(async () => {
  under = await startServerUnderTest();
});

afterAll(() => under[Symbol.asyncDispose]());

/** What a server that others use is told by, for the one under test is on this machine. */
const DEPLOYED = { NODE_ENV: "production" };

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Files;
  readonly isTTY?: boolean;
}

/** Runs `warmline doctor` in a project of these files. */
async function doctor(args: readonly string[], { env = {}, files = {}, isTTY = false }: RunOptions = {}) {
  using project = makeProject(files);
  const written = { output: "", errors: "" };
  const stdout = { isTTY, write: (text: string) => (written.output += text) };
  const stderr = { isTTY, write: (text: string) => (written.errors += text) };
  const stopping = new AbortController().signal;
  const begun = performance.now();
  const code = await runCommandLine(["doctor", ...args], { env, stdout, stderr, stopping, folder: project.folder });
  return { code, ...written, tookMs: performance.now() - begun };
}

interface Printed {
  readonly version: number;
  readonly healthy: boolean;
  readonly plan: { readonly transport: string } | null;
  readonly measures: Readonly<Record<string, unknown>>;
  readonly server: { readonly version: string; readonly slots: { readonly taken: number } } | null;
  readonly scan: { readonly seen: number };
  readonly findings: readonly { readonly rule: string; readonly found: string; readonly change: string }[];
  readonly onceDeployed: Printed["findings"];
  readonly notSeen: readonly { readonly reason: string; readonly rules: readonly string[] }[];
}

async function printed(args: readonly string[], options: RunOptions = {}) {
  const run = await doctor([...args, "--json"], options);
  expect(run.errors).toBe("");
  return { ...run, object: JSON.parse(run.output) as Printed };
}

/** Something that takes connections, and answers their first bytes with this; nothing for silence. */
async function listener(answer = "", then = "") {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    if (answer !== "") socket.once("data", () => socket.write(answer, () => socket.once("data", () => then && socket.write(then))));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("of a healthy set-up warmline doctor", () => {
  test("says what it saw, finds no fault, and exits with 0", async () => {
    const { code, output, errors } = await doctor(["--fix-hints"], { env: { DATABASE_URL: under.url() }, files: { "src/a.ts": "" } });
    expect([code, errors]).toEqual([0, ""]);
    for (const said of [
      /^Plan {6}pool on node, to postgres at 127\.0\.0\.1:\d+$/m,
      /^ +transport: pool: /m,
      /^Way {7}DNS [\d.]+ ms, TCP [\d.]+ ms, TLS [\d.]+ ms, login [\d.]+ ms, round trip [\d.]+ ms, first query [\d.]+ ms, second [\d.]+ ms$/m,
      /^HTTP {6}not seen: postgres speaks no SQL over HTTP/m,
      /^Server {4}Postgres \d+\.\d+, \d+ of 22 slots taken$/m,
      /^ +1 of fixtures, user postgres, 1 idle$/m,
      /^Sources {3}1 file read, 0 not seen, 0 tests left out/m,
      /^No fault in what was seen\.$/m,
    ])
      expect(output).toMatch(said);
    expect(output).not.toContain("\u001b");
    expect(output).not.toContain("canary");
  });

  test("prints one object with --json", async () => {
    const { code, object } = await printed(["--url", under.url()]);
    expect(code).toBe(0);
    expect(object).toMatchObject({
      version: 1,
      warmline: expect.any(String),
      healthy: true,
      plan: { transport: "pool", max: 10, reasons: expect.any(Object) },
      measures: { dnsMs: expect.any(Number), tlsMs: expect.any(Number), loginMs: expect.any(Number), http: { unseen: expect.any(String) } },
      server: { behindPooler: false, slots: { most: 22 } },
      scan: { seen: 0, notSeen: 0 },
      findings: [],
      onceDeployed: [],
      notSeen: [],
    });
  });

  test("measures SQL over HTTP where an endpoint speaks it", async () => {
    const { url } = inject("postgres");
    const { object } = await printed([], { env: { DATABASE_URL: url, WARMLINE_ENDPOINT: inject("endpoint") } });
    expect(object.measures.http).toEqual({ firstQueryMs: expect.any(Number), secondQueryMs: expect.any(Number) });
  });
});

describe("of an unhealthy one", () => {
  const files = {
    ".env.production": "",
    "src/a.ts": "console.log(process.env.DATABASE_URL);\nexport const ssl = { rejectUnauthorized: false };",
  };

  test("it says what is wrong, what it costs, the line to change and the page, and exits with 1", async () => {
    const { code, output } = await doctor(["--url", under.url("", "without_statement_limit")], { files, env: DEPLOYED });
    expect(code).toBe(1);
    expect(output).toMatch(/^url-logged \(code, docs\/doctor\.md#url-logged\)\n {2}found .*src\/a\.ts:1\n {2}costs .*\n {2}change .*$/m);
    expect(output).toMatch(/^ {2}change {2}alter role "without_statement_limit" set statement_timeout = '30s'$/m);
    expect(output).toMatch(/^3 faults\.$/m);
    expect(output).not.toMatch(/canary|To change:/);
  });

  test("colours are for terminals, and the lines to change stand together with --fix-hints", async () => {
    const { output } = await doctor(["--url", under.url(), "--fix-hints"], { files, isTTY: true });
    expect(output).toContain("\u001b[31murl-logged");
    expect(output).toMatch(/To change:.*\n {2}ssl: .*\n {2}log db\.plan\.server.*\(src\/a\.ts:1\)/);
  });
});

describe("of a new database on this machine", () => {
  const ours = ["no-statement-limit", "no-idle-in-transaction-limit", "superuser-login"];
  const url = new URL(inject("postgres").url);
  url.pathname = "/doctor_new";
  const admin = () => createDatabase(inject("postgres").url);

  beforeAll(async () => {
    await using db = admin();
    await db.query("create database doctor_new");
  });
  afterAll(async () => {
    await using db = admin();
    await db.query("drop database doctor_new");
  });

  test("it says what is no fault here and one where it is deployed, and exits with 0", async () => {
    const { code, output } = await doctor(["--url", url.href, "--fix-hints"]);
    expect(code).toBe(0);
    expect(output).toMatch(/^No fault here, and one where it is deployed \(docs\/doctor\.md#a-database-on-this-machine\):$/m);
    for (const rule of ours) expect(output).toMatch(new RegExp(`^  ${rule} +\\S.*\\.$`, "m"));
    expect(output).toMatch(/^No fault in what was seen\.$/m);
    expect(output).not.toContain("To change:");
    const { object } = await printed(["--url", url.href.replace("127.0.0.1", "localhost")]);
    expect([object.healthy, object.findings, object.onceDeployed.map(({ rule }) => rule)]).toEqual([true, [], ours]);
    expect(object.onceDeployed[0]?.change).toMatch(/^alter role/);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["in production", DEPLOYED],
    ["for what comes in many instances", { AWS_LAMBDA_FUNCTION_NAME: "orders" }],
  ])("these are faults %s, as by a tunnel", async (_, env) => {
    const { code, object } = await printed(["--url", url.href], { env });
    expect([code, object.healthy, object.onceDeployed]).toEqual([1, false, []]);
    expect(object.findings.map(({ rule }) => rule)).toEqual(ours);
  });

  test("what it holds is judged as anywhere", async () => {
    const { code, object } = await printed(["--url", url.href], {
      files: { "src/a.ts": "console.log(process.env.DATABASE_URL);" },
    });
    expect([code, object.findings.map(({ rule }) => rule)]).toEqual([1, ["url-logged"]]);
  });
});

const SILENT = "did not answer in time";

describe("bad input is a finding, in time", () => {
  test.each<[string, readonly string[], RunOptions["env"], RegExp]>([
    ["no URL", [], {}, /^The setting DATABASE_URL must be set; or give/],
    ["a URL of another database", ["--url", "mysql://u:canary@h/d"], {}, /^The setting --url must be like postgres:/],
    ["a URL that is none", [], { DATABASE_URL: "canary://%zz" }, /^The setting DATABASE_URL must be/],
    ["a parameter nobody knows", ["--url", "postgres://u:canary@h/d?unheard=1"], {}, /^The setting .*--url must be one of those/],
    ["an authority's file that is not there", ["--url", "postgres://u:p@h/d?sslrootcert=/canary.pem"], {}, /^The setting ca must be/],
  ])("%s", async (_, args, env = {}, said) => {
    const { code, object, output } = await printed(args, { env });
    expect([code, object.findings.map(({ rule }) => rule)]).toEqual([1, ["settings-refused"]]);
    expect(object.findings[0]?.found).toMatch(said);
    expect(object.notSeen.flatMap(({ rules }) => rules)).toContain("slots-nearly-used");
    expect(output).not.toMatch(/canary|node:internal/);
  });

  test("no server", async () => {
    await using refusing = await takeRefusingPort();
    const { object } = await printed(["--url", `postgres://u:canary@127.0.0.1:${refusing.port}/d`]);
    expect(object.findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining("nothing listens there") }]);
  });

  test("a name that nobody has", async () => {
    const { object } = await printed(["--url", "postgres://u:canary@nobody.invalid/d"]);
    expect(object.findings).toMatchObject([{ rule: "unreachable", found: expect.stringMatching(/finding the host's address/) }]);
  });

  test("what is no Postgres", async () => {
    await using other = await listener("HTTP/1.1 400 Bad Request\r\n\r\n");
    const { object } = await printed(["--url", `postgres://u:canary@127.0.0.1:${other.port}/d?sslmode=require`]);
    expect(object.findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining("not Postgres") }]);
  });

  test("a wrong password, and an unknown database", async () => {
    const wrong = await printed(["--url", under.url().replace("canary-app", "canary-wrong")]);
    expect(wrong.object.findings).toMatchObject([{ rule: "login-refused", found: expect.stringContaining("invalid password (28P01)") }]);
    const unknown = await printed(["--url", under.url().replace("/postgres?", "/absent?")]);
    expect(unknown.object.findings).toMatchObject([{ rule: "login-refused", found: expect.stringContaining("3D000") }]);
    const none = await printed(["--url", under.url().replace(":canary-app@", "@")]);
    expect(none.object.findings).toMatchObject([
      { rule: "login-refused", found: expect.stringContaining("asks for a password, and there is none") },
    ]);
    expect(wrong.output + unknown.output + none.output).not.toContain("canary");
  });

  test("a way to log in that pg does not know", async () => {
    await using kerberos = await listener("R\0\0\0\x08\0\0\0\x07");
    const { code, object } = await printed(["--url", `postgres://app:canary@127.0.0.1:${kerberos.port}/app?sslmode=disable`]);
    expect([code, object.findings[0]]).toMatchObject([1, { rule: "unreachable", found: expect.stringContaining("another way to log in") }]);
  });

  test("a server whose answers are empty is no pooler", async () => {
    const ready = "Z\0\0\0\x05I";
    const server = createServer((socket) => {
      socket.once("data", () => {
        socket.write(Buffer.from(`R\0\0\0\x08\0\0\0\0K\0\0\0\x0c\0\0\0\x01\0\0\0\x02${ready}`, "latin1"));
        socket.on("data", () => socket.write(`I\0\0\0\x04${ready}`));
      });
      socket.on("error", () => {});
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const { object } = await printed(["--url", `postgres://app:canary@127.0.0.1:${port}/app?sslmode=disable`]);
    server.close();
    expect(object.findings).toEqual([]);
  });

  test("no slot left: the change is fewer connections, not another password", async () => {
    await under.admin.query("alter role stranger connection limit 0");
    const { object } = await printed(["--url", under.url("", "stranger")]);
    await under.admin.query("alter role stranger connection limit -1");
    const [finding] = object.findings;
    expect(finding).toMatchObject({ rule: "login-refused", change: expect.stringContaining("warmline doctor budget") });
    expect(finding).toMatchObject({ change: expect.stringContaining("pg_use_reserved_connections") });
  });

  test("what may not be read is not seen, with the reason, and is no fault", async () => {
    await under.admin.query("revoke select on pg_replication_slots from public, pg_monitor");
    const { code, object } = await printed(["--url", under.url()]);
    await under.admin.query("grant select on pg_replication_slots to public");
    expect([code, object.findings]).toEqual([0, []]);
    expect(object.notSeen).toEqual([{ what: "replicationSlots", reason: "no permission (42501)", rules: ["unused-replication-slot"] }]);
  });

  test("several hosts: the first is looked at, and the others are said not to be", async () => {
    const { port } = under.server;
    const url = `postgres://app:canary-app@127.0.0.1:${port},127.0.0.2:${port}/postgres?target_session_attrs=read-write`;
    const { code, object } = await printed(["--url", url]);
    expect(code).toBe(0);
    expect(object.notSeen).toMatchObject([{ what: "hosts", reason: "behind the first, hosts were not looked at: 1" }]);
  });

  test("no TLS, and a certificate of nobody's", async () => {
    const none = await printed(["--url", `${inject("postgres").url}?sslmode=require`]);
    expect(none.object.findings).toMatchObject([{ rule: "tls-failed", found: expect.stringContaining("speaks no TLS") }]);
    const stranger = await printed(["--url", `${under.server.url()}?sslmode=require`]);
    expect(stranger.object.findings).toMatchObject([
      { rule: "tls-failed", found: expect.stringMatching(/certificate was not accepted \(TLS_FAILED, [A-Z_]+\)/) },
    ]);
  });

  // each waits for the whole bound
  describe.concurrent("a server that hangs", () => {
    const within = async (url: string) => {
      const { object, tookMs } = await printed(["--url", url], { env: DEPLOYED });
      // five seconds, and what a busy machine adds
      expect(tookMs).toBeLessThan(10_000);
      return object;
    };

    test("when it is asked for TLS", async () => {
      await using silent = await listener();
      const { findings } = await within(`postgres://u:p@127.0.0.1:${silent.port}/d?sslmode=require`);
      expect(findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining(`${SILENT}: asking it for TLS`) }]);
    });

    test("in the handshake", async () => {
      await using silent = await listener("S");
      const { findings } = await within(`postgres://u:p@127.0.0.1:${silent.port}/d?sslmode=require`);
      expect(findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining(`${SILENT}: the TLS handshake`) }]);
    });

    test("in the login", async () => {
      await using silent = await listener();
      const { findings } = await within(`postgres://u:p@127.0.0.1:${silent.port}/d`);
      expect(findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining(`${SILENT}: the login`) }]);
    });

    test("in the first query", async () => {
      await using silent = await listener("R\0\0\0\b\0\0\0\0Z\0\0\0\x05I");
      const { findings } = await within(`postgres://u:p@127.0.0.1:${silent.port}/d`);
      expect(findings).toMatchObject([{ rule: "unreachable", found: expect.stringContaining(SILENT) }]);
    });

    test("in the midst of the questions: what came before is judged, the rest was not seen", async () => {
      await using wire = await startWire(under.server);
      wire.onMessage((message) => {
        if (message.type === "Q" && message.body.includes("pg_stat_activity")) wire.holdServer();
      });
      const { findings, notSeen, server } = await within(`postgres://without_statement_limit:canary-app@127.0.0.1:${wire.port}/postgres`);
      expect(findings.map(({ rule }) => rule)).toEqual(["no-statement-limit"]);
      expect(notSeen.find(({ rules }) => rules.includes("long-query"))?.reason).toBe("it did not answer in time");
      expect(server?.version).toMatch(/^\d/);
    });
  });

  test("a server that says no version, and one with a name for a terminal", async () => {
    await using posing = await startPosing(under.server.port, { server_version: "\u001b[31mcanary" });
    const { code, output } = await doctor(["--url", `postgres://app:canary-app@127.0.0.1:${posing.port}/postgres`]);
    expect([code, /Server {4}says no version/.test(output)]).toEqual([0, true]);
    for (const word of ["canary", "\u001b"]) expect(output).not.toContain(word);
  });

  test("an application name that a terminal would act on is blanked", async () => {
    const other = await under.open("app", "a");
    await other.query("set application_name = E'x\\x1b[31m'");
    const { output } = await doctor(["--url", under.url()]);
    await other.end();
    expect(output).not.toContain("\u001b");
  });
});

describe("called as it cannot be", () => {
  test.each<[readonly string[], RegExp]>([
    [["--urll", "canary"], /Unknown option --urll\. Did you mean --url\?/],
    [["--url"], /--url needs a value/],
    [["canary"], /warmline doctor takes options alone/],
    [["--env-file", "/canary/.env"], /--env-file names a file that cannot be read/],
    [["budget", "--cores", "8"], /--concurrency is missing, such as --concurrency 500/],
    [["budget", "--concurrency", "canary", "--cores", "8"], /--concurrency must be a whole number from 1 to 999999/],
    [["budget", "--concurrency", "0", "--cores", "8"], /--concurrency must be a whole number/],
    [["budget", "--concurrency", "5", "--cores", "8", "--max-connections", "3"], /--max-connections must be over 3/],
    [["budget", "--url", "canary"], /Unknown option --url\. Run "warmline doctor budget --help"/],
  ])("%j is told in one line, and exits with 2", async (args, said) => {
    const { code, output, errors } = await doctor(args);
    expect([code, output, errors.trimEnd().split("\n").length]).toEqual([2, "", 1]);
    expect(errors).toMatch(said);
    expect(errors).not.toContain("canary");
  });

  test.each([[["--urll", "canary", "--json"]], [["--json", "--env-file", "/canary/.env"]], [["budget", "--json"]]])(
    "%j prints one object all the same",
    async (args) => {
      const { code, output, errors } = await doctor(args);
      const { version, warmline, error } = JSON.parse(output) as Record<string, { readonly message?: string }>;
      expect([code, version, typeof warmline]).toEqual([2, 1, "string"]);
      expect(errors).toBe(`warmline: ${error?.message}\n`);
      expect(output).not.toContain("canary");
    },
  );

  test.each([[["--help"]], [["budget", "--help"]]])("%j explains it", async (args) => {
    const { code, output } = await doctor(args);
    expect(code).toBe(0);
    for (const word of ["--url", "--env-file", "--json", "--fix-hints", "--max-connections", "Exit codes"]) expect(output).toContain(word);
    expect(output.split("\n").filter((line) => line.length > 140)).toEqual([]);
  });
});

describe("budget", () => {
  const sizes = async (args: readonly string[]) => {
    const { code, output } = await doctor(["budget", ...args, "--json"]);
    expect(code).toBe(0);
    const { sizes: all, ...rest } = JSON.parse(output) as {
      sizes: { name: string; value: number }[];
      fitsDirectly: boolean;
      verdict: string;
    };
    return { ...rest, of: (name: string) => all.find((one) => one.name === name)?.value };
  };

  test("computes (cores × 2) + spindles, and says that the calls need a pooler", async () => {
    const { of, fitsDirectly, verdict } = await sizes([
      "--max-connections",
      "100",
      "--concurrency",
      "500",
      "--cores",
      "8",
      "--spindles",
      "1",
    ]);
    expect([of("statements at once"), of("pooler: default_pool_size"), of("environments without a pooler")]).toEqual([17, 17, 97]);
    expect([fitsDirectly, verdict]).toEqual([false, expect.stringContaining("500 calls do not fit into 97 connections")]);
  });

  test("never more than the server grants", async () => {
    const { of, fitsDirectly } = await sizes(["--max-connections", "10", "--concurrency", "5", "--cores", "64"]);
    expect([of("statements at once"), of("max of 4 server processes, each"), fitsDirectly]).toEqual([7, 1, true]);
  });

  test("gives a reason for each", async () => {
    const { output } = await doctor(["budget", "--concurrency", "500", "--cores", "8"]);
    expect(output).toMatch(/^statements at once +17 {2}\(8 cores × 2\) \+ 1 spindles/m);
    expect(output).not.toContain("\u001b");
  });
});

test("told to end, it prints one object that says so", async () => {
  let output = "";
  const stdout = { write: (text: string) => (output += text) };
  const surroundings = { env: {}, stdout, stderr: { write: () => {} }, stopping: AbortSignal.abort() };
  expect(await runCommandLine(["doctor", "--json"], surroundings)).toBe(1);
  expect(JSON.parse(output)).toMatchObject({ version: 1, error: { message: expect.stringContaining("told to end") } });
});

test("nobody reads to the end: no stack trace, and the exit code holds", async () => {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "doctor", "budget", "--concurrency", "5", "--cores", "8"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  expect(await once(child, "close")).toEqual([0, null]);
  expect(errors).toBe("");
});

test("the command itself reads a file of variables, and exits with 1 for a fault", async () => {
  using project = makeProject({ ".env": `\ufeffDATABASE_URL="${under.url("", "boss")}"\nNODE_ENV=production\n` });
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  const { DATABASE_URL: _, NODE_ENV: __, ...env } = process.env;
  const child = spawn(process.execPath, [main, "doctor", "--env-file", ".env"], {
    cwd: project.folder,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const [code] = await once(child, "close");
  expect([code, output]).toEqual([1, expect.stringContaining("superuser-login")]);
  expect(output).not.toMatch(/canary|Warning/);
});
