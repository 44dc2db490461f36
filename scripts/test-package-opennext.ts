import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startEndpoint } from "warmline/endpoint";
import { createTestHarness } from "wrangler";
import { startPostgres } from "./postgres.ts";
import type { Line } from "./test-package-expected.ts";
import type { Stranger } from "./test-package-stranger.ts";

const worker = {
  name: "stranger",
  main: ".open-next/worker.js",
  compatibility_date: "2026-08-04",
  compatibility_flags: ["nodejs_compat"],
  assets: { directory: ".open-next/assets", binding: "ASSETS" },
};

/**
 * An app as its author writes it: one route that asks the database, and says how. Next.js leaves pg out of its bundle, and OpenNext finds the
 * workers' half of pg-cloudflare only where it is named.
 */
const app: Readonly<Record<string, string>> = {
  "package.json": '{ "private": true, "type": "module", "scripts": { "build": "next build" } }',
  // without one of its own, OpenNext takes the folder above for a workspace
  "package-lock.json": '{ "lockfileVersion": 3 }',
  "wrangler.json": JSON.stringify(worker),
  "next.config.mjs": `export default {
    serverExternalPackages: ["pg-cloudflare"],
    outputFileTracingRoot: import.meta.dirname,
    turbopack: { root: import.meta.dirname },
  };`,
  "open-next.config.ts": 'import { defineCloudflareConfig } from "@opennextjs/cloudflare"; export default defineCloudflareConfig();',
  "app/layout.jsx": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }",
  "app/where/route.js": `import { createDatabase } from "warmline";
    export const dynamic = "force-dynamic";
    const db = createDatabase();
    export async function GET() {
      const rows = await db.sql\`select 1 as one\`;
      return Response.json({ runtime: db.plan.runtime, transport: db.plan.transport, rows });
    }`,
};

/**
 * Builds the app for Cloudflare with OpenNext, and asks its route in local workerd, twice, for a socket of the first request would hang the
 * second. Next.js bundles the package as it does for Node, so that its build for Node has to find out that it is in a worker.
 */
export async function checkOpenNext({ project }: Stranger, tools: string): Promise<Line> {
  const line = { tool: "OpenNext, bundled", entry: ".", chose: "dist/entry/node.js", forbidden: [] };
  const folder = join(project, "opennext");
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  process.env.WRANGLER_SEND_METRICS = "false";
  try {
    for (const [name, text] of Object.entries(app)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), text);
    }
    // Turbopack follows no link that leads out of the app
    for (const modules of [tools, join(project, "node_modules")]) {
      await cp(modules, join(folder, "node_modules"), { recursive: true, force: false, verbatimSymlinks: true });
    }
    await promisify(execFile)(process.execPath, [join(folder, "node_modules/@opennextjs/cloudflare/dist/cli/index.js"), "build"], {
      cwd: folder,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
      maxBuffer: 64 << 20,
    });
    const answers = await askTwice(folder);
    const right = '{"runtime":"workerd","transport":"http","rows":[{"one":1}]}';
    return answers.every((answer) => answer === right) ? line : { ...line, problem: answers.join("\n") };
  } catch (error) {
    const { stderr = "", message } = error as Error & { readonly stderr?: string };
    return { ...line, problem: `${message.slice(0, 500)}\n${stderr.slice(-2_000)}` };
  }
}

async function askTwice(root: string): Promise<readonly string[]> {
  const server = await startPostgres();
  const endpoint = await startEndpoint({ databaseUrl: server.url(), port: 0 });
  const vars = { DATABASE_URL: server.url(), WARMLINE_ENDPOINT: endpoint.url };
  const harness = createTestHarness({ root, workers: [{ config: { ...worker, vars } }] });
  try {
    const { url } = await harness.listen();
    const ask = async () => (await fetch(new URL("/where", url))).text();
    return [await ask(), await ask()];
  } finally {
    await harness.close();
    await endpoint.stop();
    await server.stop();
  }
}
