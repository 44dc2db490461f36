import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, inject, test } from "vitest";
import { useEndpoint } from "./local-endpoint.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const { running } = useEndpoint();

function start(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { DATABASE_URL: _, ...rest } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...rest, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (errors += chunk));
  /** Its first line, whole, or what there is of it when it ends before. */
  const line = async () => {
    const over = once(child, "close");
    while (!output.includes("\n") && child.exitCode === null) await Promise.race([once(child.stdout, "data"), over]);
    return output;
  };
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output, errors }));
  return { child, ended, line };
}

describe("warmline endpoint", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("serves until %s and exits with 0", async (signal) => {
    const { child, ended, line } = start(["endpoint", "--port", "0"], { DATABASE_URL: inject("postgres").url });
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(await line())?.[0];
    const response = await fetch(`${url}/sql`, {
      method: "POST",
      headers: { "Neon-Connection-String": inject("postgres").url },
      body: '{"query":"select 1 as n"}',
    });
    expect(await response.json()).toMatchObject({ rows: [{ n: 1 }] });
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, output: `Listening on ${url}\n`, errors: "" });
  });

  test.each<[string, readonly string[], RegExp]>([
    ["no URL", [], /^warmline: No database URL\./],
    ["a bad URL", ["--database-url", "mysql://u:canary@h/d"], /^warmline: The setting databaseUrl must be like postgres:/],
    ["a bad port", ["--port", "canary", "--database-url", "postgres://h/d"], /^warmline: port must be/],
    ["a port out of range", ["--port", "99999", "--database-url", "postgres://h/d"], /^warmline: port must be/],
    [
      "another host without a token",
      ["--host", "0.0.0.0", "--database-url", "postgres://h/d"],
      /^warmline: The endpoint listens on loopback only/,
    ],
    ["an unknown option", ["--canary"], /^warmline: There is an option/],
    ["an argument", ["canary"], /^warmline: There is an option/],
    ["a missing value", ["--port"], /^warmline: An option lacks its value/],
  ])("with %s says one clear line and exits with 1", async (_, args, line) => {
    const { code, output, errors } = await start(["endpoint", ...args]).ended;
    expect([code, output]).toEqual([1, ""]);
    expect(errors).toMatch(line);
    expect(errors.trimEnd().split("\n")).toHaveLength(1);
    expect(errors).not.toContain("canary");
  });

  test("says that its port is in use", async () => {
    const { code, errors } = await start(["endpoint", "--port", String(running().port)], { DATABASE_URL: inject("postgres").url }).ended;
    expect([code, errors]).toEqual([1, `warmline: Port ${running().port} is in use. Choose another, or 0 for any free one.\n`]);
  });

  test("explains itself", async () => {
    const { code, output } = await start(["endpoint", "--help"]).ended;
    expect(code).toBe(0);
    for (const option of ["--database-url", "--port", "--host", "--token"]) expect(output).toContain(option);
  });
});

describe("warmline", () => {
  test.each([[[]], [["--help"]]])("with the arguments %j lists its commands", async (args) => {
    const { code, output } = await start(args).ended;
    expect([code, output]).toEqual([0, expect.stringContaining("endpoint")]);
  });

  test("refuses a command it does not know", async () => {
    const { code, errors } = await start(["toString"]).ended;
    expect([code, errors]).toEqual([1, 'warmline: Unknown command. Run "warmline --help" for those there are.\n']);
  });
});
