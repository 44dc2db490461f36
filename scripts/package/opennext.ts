import { execFile } from "node:child_process";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { startEndpoint } from "warmline/endpoint";
import { createTestHarness } from "wrangler";
import { startPostgres } from "../../test/support/postgres/server.ts";
import type { Line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

const worker = {
  name: "stranger",
  main: ".open-next/worker.js",
  compatibility_date: "2026-08-04",
  compatibility_flags: ["nodejs_compat"],
  assets: { directory: ".open-next/assets", binding: "ASSETS" },
};

/** How the package gets into the worker: in Next.js' bundle, or left out of it and bundled by OpenNext. */
export type Manner = "bundled" | "in serverExternalPackages";

/**
 * What an author has to configure. Next.js leaves pg out of its bundle, and OpenNext finds the workers' half of pg-cloudflare only where it is
 * named. A package that is left out it would take in its build for workers, and cannot leave `cloudflare:workers` to the platform.
 */
const configured: Readonly<Record<Manner, { readonly external: readonly string[]; readonly openNext: object }>> = {
  bundled: { external: ["pg-cloudflare"], openNext: {} },
  "in serverExternalPackages": { external: ["warmline"], openNext: { cloudflare: { useWorkerdCondition: false } } },
};

/** An app as its author writes it: one route that asks the database, and says how. */
const appOf = (manner: Manner): Readonly<Record<string, string>> => ({
  "package.json": '{ "private": true, "type": "module", "scripts": { "build": "next build" } }',
  // without one of its own, OpenNext takes the folder above for a workspace
  "package-lock.json": '{ "lockfileVersion": 3 }',
  "wrangler.json": JSON.stringify(worker),
  "next.config.mjs": `export default {
    serverExternalPackages: ${JSON.stringify(configured[manner].external)},
    outputFileTracingRoot: import.meta.dirname,
    turbopack: { root: import.meta.dirname },
  };`,
  "open-next.config.ts": `import { defineCloudflareConfig } from "@opennextjs/cloudflare";
    export default { ...defineCloudflareConfig(), ...${JSON.stringify(configured[manner].openNext)} };`,
  "app/layout.jsx": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }",
  "app/where/route.js": `import { createDatabase } from "warmline";
    export const dynamic = "force-dynamic";
    const db = createDatabase();
    export async function GET() {
      const rows = await db.sql\`select 1 as one\`;
      return Response.json({ runtime: db.plan.runtime, transport: db.plan.transport, rows });
    }`,
});

/**
 * Builds the app for Cloudflare with OpenNext, and asks its route in local workerd, twice, for a socket of the first request would hang the
 * second. Either way it is the build for Node, which has to find out that it is in a worker.
 */
export async function checkOpenNext({ project }: Stranger, tools: string, manner: Manner): Promise<Line> {
  const line = { tool: `OpenNext, ${manner}`, entry: ".", chose: "dist/node/warmline.js", forbidden: [] };
  const folder = join(project, manner === "bundled" ? "opennext" : "opennext-external");
  process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
  process.env.WRANGLER_SEND_METRICS = "false";
  try {
    for (const [name, text] of Object.entries(appOf(manner))) {
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
