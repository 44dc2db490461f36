import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { findFreePort } from "../support/postgres/workplace.ts";

const main = "test/workers/failing.ts";

test("wrangler dev prints an uncaught error with the line of the worker's source that asked", async () => {
  const line = 1 + (await readFile(main, "utf8")).split("\n").findIndex((text) => text.includes("await db.query"));
  const folder = await mkdtemp(join(tmpdir(), "warmline-dev-"));
  const variables = join(folder, "vars");
  await writeFile(variables, `DATABASE_URL=${inject("postgres").url}\nWARMLINE_ENDPOINT=${inject("endpoint")}\n`);
  const port = await findFreePort();
  const child = spawn(
    "node_modules/.bin/wrangler",
    ["dev", main, "--ip", "127.0.0.1", "--port", String(port), "--env-file", variables, "--show-interactive-dev-session=false"],
    { env: { ...process.env, NO_COLOR: "1", WRANGLER_HIDE_BANNER: "true" }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const exit = once(child, "exit");
  let printed = "";
  /** Resolves when it has printed this. */
  const prints = async (text: string) => {
    while (!printed.includes(text))
      await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), exit.then(() => Promise.reject(new Error(printed)))]);
  };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  try {
    await prints("Ready on");
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500);
    await prints(`${main}:${line}:`);
    expect(printed).toMatch(/DatabaseError: relation "shelf" does not exist\n +at async .*fetch/);
  } finally {
    child.kill("SIGTERM");
    await exit;
    await rm(folder, { recursive: true });
  }
});
