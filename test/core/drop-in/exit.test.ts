import { execFile } from "node:child_process";
import { describe, expect, test } from "vitest";
import { urlAt } from "../databases.ts";

const pools = [
  ["pg.Pool", 'import pg from "pg"; const make = (options) => new pg.Pool(options);'],
  ["WarmPool", 'import { WarmPool } from "./src/entry/pool.ts"; const make = (options) => new WarmPool(options);'],
  ["sharedPool", 'import { sharedPool } from "./src/entry/pool.ts"; const make = sharedPool;'],
] as const;

interface Ending {
  readonly code: number;
  readonly output: string;
  readonly afterMs: number;
}

/** Runs a script with a pool, in a process of its own that nobody ends. */
function run(make: string, options: object, work: string): Promise<Ending> {
  const code = `${make} const pool = make({ connectionString: ${JSON.stringify(urlAt())}, ...${JSON.stringify(options)} });
    await pool.query("select 1"); const since = performance.now(); process.on("exit", () => console.log(Math.round(performance.now() - since))); ${work}`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--no-warnings", "--input-type=module", "--eval", code],
      { cwd: process.cwd() },
      (error, stdout, stderr) => {
        const [afterMs, ...output] = stdout.trim().split("\n").reverse();
        resolve({ code: (error?.code as number | undefined) ?? 0, output: output.join() + stderr, afterMs: Number(afterMs) });
      },
    );
  });
}

/** So long an idle connection would be kept. */
const IDLE_MS = 4_000;

describe.each(pools)("a process with a %s", (_, make) => {
  test("ends by itself with connections that are idle, where allowExitOnIdle says so", async () => {
    const ending = await run(make, { allowExitOnIdle: true, idleTimeoutMillis: IDLE_MS }, "");
    expect(ending).toMatchObject({ code: 0, output: "" });
    expect(ending.afterMs).toBeLessThan(IDLE_MS / 2);
  });

  test("stays until they have been idle for long, where it says no", async () => {
    const ending = await run(make, { allowExitOnIdle: false, idleTimeoutMillis: 300 }, "");
    expect(ending.code).toBe(0);
    expect(ending.afterMs).toBeGreaterThanOrEqual(290);
  });

  test("stays while a client is held, and ends when the pool has", async () => {
    const work =
      "const client = await pool.connect(); setTimeout(async () => { client.release(); await pool.end(); console.log('ended'); }, 200);";
    expect(await run(make, { allowExitOnIdle: true }, work)).toMatchObject({ code: 0, output: "ended" });
  });

  test("ends by a rejection that nobody handles, with pg's error in it", async () => {
    const { code, output } = await run(make, {}, "await pool.query('select 1 / 0');");
    expect(code).not.toBe(0);
    expect(output).toContain("division by zero");
  });
});
