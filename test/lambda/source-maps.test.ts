import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { bundleHandler } from "./bundle-handler.ts";
import { startSandbox } from "./sandbox.ts";

const source = fileURLToPath(new URL("handlers/failing.ts", import.meta.url));

test("with --enable-source-maps an uncaught error of a bundled function shows the line of its source that asked", async () => {
  const lines = (await readFile(source, "utf8")).split("\n");
  const lineOf = (text: string) => 1 + lines.findIndex((line) => line.includes(text));
  const folder = await mkdtemp(join(tmpdir(), "warmline-maps-"));
  const handler = await bundleHandler(source, folder, { sourcemap: true, minify: true });
  const env = { DATABASE_URL: inject("postgres").url, NODE_OPTIONS: "--enable-source-maps" };
  await using sandbox = await startSandbox({ handler, env, timeoutMs: 60_000 });
  const environment = await sandbox.environment();
  for (const [streams, asks] of [
    [false, "await db.query"],
    [true, "for await"],
  ] as const) {
    const { error } = await environment.invoke({ streams });
    expect(error).toMatchObject({ errorType: "DatabaseError", errorMessage: 'relation "shelf" does not exist' });
    const trace = error?.trace?.join("\n");
    expect(trace).toContain("\n    from shelf\n         ^\n");
    expect(trace).toContain(`handlers/failing.ts:${lineOf(asks)}:`);
  }
  await rm(folder, { recursive: true });
});
