import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

interface BenchRow {
  readonly name: string;
  readonly met: boolean | null;
  readonly void?: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Runs the benchmark over the built package; what it measures in a quick run decides nothing, and so does its exit code. */
function bench(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["bench/bench.ts", ...args], { cwd: root }, (_, stdout, stderr) => resolve({ stdout, stderr }));
  });
}

describe("the benchmark, quick and as JSON,", { timeout: 300_000 }, () => {
  test("prints one JSON object: for every row ours, the peers, the ratio, the limit, and whether it was met", async () => {
    const names = [
      "by primary key",
      "20 at once",
      "insert",
      "Kysely",
      "45 fast",
      "waits",
      "SQL over HTTP",
      "layer by layer",
      "heap",
      "stream",
      "start: main entry on workerd",
      "start: a Lambda handler",
      "start: cold import",
      "start: Lambda init",
    ];
    const { stdout, stderr } = await bench("--quick", "--json", ...names.flatMap((name) => ["--only", name]));
    const { rows, ...others } = JSON.parse(stdout) as { rows: readonly BenchRow[] };
    expect(others).toEqual({});
    for (const name of names) {
      const chosen = rows.filter((row) => row.name.startsWith(name));
      expect([name, chosen.length > 0]).toEqual([name, true]);
    }
    for (const { void: reason, ...row } of rows) {
      expect(row).toEqual({
        name: expect.any(String),
        unit: expect.any(String),
        ours: reason === undefined ? expect.any(Number) : expect.toBeOneOf([expect.any(Number), null]),
        peers: expect.any(Object),
        ratioToBest: expect.toBeOneOf([expect.any(Number), null]),
        limit: expect.toBeOneOf([expect.any(Number), null]),
        met: expect.toBeOneOf([true, false, null]),
      });
      if (reason !== undefined) expect(row.met).not.toBe(true);
    }
    expect(rows.find(({ name }) => name === "by primary key, one after the other: CPU")).toMatchObject({
      peers: { pg: expect.any(Number), "pg, named": expect.any(Number), "postgres.js": expect.any(Number) },
      limit: 0.8,
    });
    expect(rows.find(({ name }) => name === "start: main entry on workerd, what is read at start")).toMatchObject({
      unit: "bytes of gzip",
      peers: { "neon()": expect.any(Number) },
      limit: 26_000,
    });
    expect(stderr).toContain("[1/");
  });

  test("says which rows there are where a name fits none", async () => {
    const { stdout, stderr } = await bench("--quick", "--json", "--only", "by secondary key");
    expect(stdout).toBe("");
    expect(stderr).toContain("by primary key, one after the other: CPU");
  });
});
