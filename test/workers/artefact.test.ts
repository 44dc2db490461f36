import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { buildWorker, MAX_WORKER_GZIP_BYTES, runWrangler } from "../support/worker/artefact.ts";
import { serveWorker } from "../support/worker/runtime.ts";
import { profileStartup } from "../support/worker/startup.ts";
import { createOwnDatabase } from "./databases.ts";

const configuration = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");

test(`the demo over HTTP is uploaded with at most ${MAX_WORKER_GZIP_BYTES} bytes, and needs nothing of Node`, async () => {
  await using artefact = await buildWorker("functions/worker.ts", ["no_nodejs_compat"]);
  console.info(`functions/worker.ts: ${artefact.gzipBytes} bytes gzip`);
  expect(artefact.gzipBytes).toBeGreaterThan(50_000);
  expect(artefact.gzipBytes).toBeLessThanOrEqual(MAX_WORKER_GZIP_BYTES);
  const code = await readFile(join(artefact.folder, artefact.file), "utf8");
  const imported = [...code.matchAll(/(?:^|[;}])import[\w{}$, *]*?(?:from)?"([^"]+)"/gm)].map(([, name]) => name);
  expect(imported).toEqual(["cloudflare:workers"]);
});

test("the demo's page is served in workerd, over one subrequest, and says what the server counts", async () => {
  const databaseUrl = await createOwnDatabase("workers_page");
  const endpoint = await startEndpoint({ databaseUrl, port: 0 });
  try {
    await using worker = await serveWorker("functions/worker.ts", { vars: { DATABASE_URL: databaseUrl, WARMLINE_ENDPOINT: endpoint.url } });
    const answer = await fetch(worker.url, { headers: { Accept: "text/html" } });
    expect([answer.status, endpoint.requests]).toEqual([200, 1]);
    expect(await answer.text()).toMatch(/Here it runs on <b>workerd<\/b>, over\s<b>http<\/b>.+<dt>sessions begun<\/dt><dd>\d+<\/dd>/s);
  } finally {
    await endpoint.stop();
  }
});

test.each(["preview", "production"])(
  "the environment %s is uploaded under a name of its own, observed, and with no secret in its variables",
  async (name) => {
    const [, environment = ""] = configuration.split(`[env.${name}]\n`);
    expect(environment).toContain(`name = "warmline-demo-${name}"`);
    expect(configuration).toContain(`[env.${name}.observability]\nenabled = true`);
    const printed = await runWrangler(["deploy", "--dry-run", `--env=${name}`]);
    expect(printed).toContain("No bindings found.");
    expect(printed).not.toMatch(/DATABASE_URL|API_TOKEN/);
  },
);

test("the configuration has no variables, and shows where a Hyperdrive binding goes", () => {
  expect(configuration).not.toMatch(/^\s*\[.*vars.*\]/m);
  expect(configuration).toMatch(/^# \[\[hyperdrive\]\]$/m);
});

test("wrangler profiles the start of the demo, which is some milliseconds of CPU", async () => {
  const { cpuMs, ownMs } = await profileStartup();
  expect(ownMs).toBeGreaterThan(0);
  expect(cpuMs).toBeGreaterThanOrEqual(ownMs);
});
