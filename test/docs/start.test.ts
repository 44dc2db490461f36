import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { urlAt } from "../core/databases.ts";
import { findFreePort } from "../support/postgres/workplace.ts";
import { serveWorker } from "../support/worker/runtime.ts";
import { blocksOf, root } from "./blocks.ts";

const run = promisify(execFile);

/** A reader's folder, with what the pages tell to install. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warmline-start-"));
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules/warmline"));
  await symlink(join(root, "node_modules/pg"), join(folder, "node_modules/pg"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes the files of a page's first block of code, and its wrangler.toml, in a folder of the page's own, and gives its path. */
async function write(page: string): Promise<string> {
  const place = join(folder, page);
  const code = blocksOf(`docs/start/${page}.md`).find(({ language }) => language === "ts")?.code ?? "";
  const configuration = blocksOf(`docs/start/${page}.md`).find(({ language }) => language === "toml");
  if (configuration !== undefined) {
    await mkdir(place, { recursive: true });
    await writeFile(join(place, "wrangler.toml"), configuration.code);
  }
  const parts = code.split(/^\/\/ (\S+\.m?ts)$/m).slice(1);
  for (let at = 0; at < parts.length; at += 2) {
    // Node takes the name of a file with its ending, which bundlers leave out
    const text = parts[at + 1]?.replace(/from "(\.\.?\/[^"]+)"/g, 'from "$1.ts"') ?? "";
    const file = join(place, parts[at] ?? "");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return place;
}

const env = (more: NodeJS.ProcessEnv = {}) => ({ ...process.env, DATABASE_URL: urlAt(), ...more });

/** What a line of JavaScript prints, in a process of its own within a page's folder. */
async function printed(cwd: string, line: string, more?: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", line], { cwd, env: env(more) });
  return stdout;
}

const now = /"now":"20\d\d-/;

describe("the first query of each page answers", () => {
  test("Node", async () => {
    const place = await write("node");
    const { stdout, stderr } = await run(process.execPath, ["first.mts"], { cwd: place, env: env() });
    expect(stdout).toMatch(/now: 20\d\d-/);
    expect(stderr).toBe("");
  });

  test("a container, which ends when it is told to", async () => {
    const place = await write("containers");
    const port = await findFreePort();
    const server = spawn(process.execPath, ["server.ts"], { cwd: place, env: env({ PORT: String(port) }), stdio: "ignore" });
    const ended = once(server, "exit");
    try {
      const ask = (): Promise<string> =>
        fetch(`http://127.0.0.1:${port}`, { headers: { connection: "close" } }).then(
          (response) => response.text(),
          () => (server.exitCode === null ? ask() : ""),
        );
      expect(await ask()).toMatch(now);
    } finally {
      server.kill("SIGTERM");
    }
    expect(await ended).toEqual([0, null]);
  });

  test("Lambda, bundled as the page says", async () => {
    const place = await write("lambda");
    const command = blocksOf("docs/start/lambda.md").find(({ code }) => code.startsWith("npx esbuild"))?.code ?? "";
    const [, ...args] = command.trim().split(" ").slice(1);
    await run(join(root, "node_modules/.bin/esbuild"), args, { cwd: place });
    await writeFile(join(place, "dist/package.json"), '{ "type": "commonjs" }');
    const call = 'import handlers from "./dist/handler.js"; const context = { getRemainingTimeInMillis: () => 3000 };';
    const line = `${call} console.log(JSON.stringify(await handlers.handler({}, context))); process.exit()`;
    expect(await printed(place, line, { AWS_LAMBDA_FUNCTION_NAME: "first" })).toMatch(now);
  });

  test("Vercel and Netlify", async () => {
    const vercel = await write("vercel");
    const netlify = await write("netlify");
    const answer = (handler: string) => `console.log(await (await ${handler}()).text()); process.exit()`;
    expect(await printed(vercel, `import { GET } from "./api/now.ts"; ${answer("GET")}`, { VERCEL: "1" })).toMatch(now);
    const variable = { NETLIFY_DATABASE_URL: urlAt(), DATABASE_URL: undefined };
    expect(await printed(netlify, `import now from "./netlify/functions/now.ts"; ${answer("now")}`, variable)).toMatch(now);
  });

  test("Workers, over HTTP", async () => {
    const main = join(await write("workers-http"), "worker.ts");
    await using worker = await serveWorker(main, { vars: { DATABASE_URL: urlAt(), WARMLINE_ENDPOINT: inject("endpoint") } });
    expect(await (await fetch(worker.url)).text()).toMatch(now);
  });

  test("Workers, with Hyperdrive", async () => {
    const main = join(await write("workers-hyperdrive"), "worker.ts");
    await using worker = await serveWorker(main, { hyperdrive: { HYPERDRIVE: urlAt() }, flags: ["nodejs_compat"] });
    for (let time = 0; time < 3; time++) expect(await (await fetch(worker.url)).text()).toMatch(now);
    expect(worker.logs).toEqual([]);
  });
});
