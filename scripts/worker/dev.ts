import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { invitation } from "../demo/invitation.ts";
import { startWorld } from "../demo/world.ts";

// The demo API in local workerd, over SQL over HTTP or, with --tcp, over sockets; beside it a Postgres of its own and the local endpoint.

const { values: flags } = parseArgs({
  options: { port: { type: "string", default: "8787" }, tcp: { type: "boolean", default: false } },
});
const ENDPOINT_PORT = 4444;

const folder = await mkdtemp(join(tmpdir(), "warmline-worker-"));
console.error("Starting Postgres and the SQL-over-HTTP endpoint …");
const world = await startWorld(ENDPOINT_PORT);
try {
  const variables = join(folder, "vars");
  // a worker's writes ask for a token, as they do where it is deployed
  const token = randomUUID();
  const databaseUrl = await world.seed("demo");
  const written = [`DATABASE_URL=${databaseUrl}`, `API_TOKEN=${token}`];
  if (!flags.tcp) written.push(`WARMLINE_ENDPOINT=${world.endpointUrl}`);
  await writeFile(variables, `${written.join("\n")}\n`, { mode: 0o600 });
  console.error(invitation({ apiUrl: `http://127.0.0.1:${flags.port}`, endpointUrl: world.endpointUrl, databaseUrl }));
  console.error(`Writes and statistics ask for a token: add -H 'Authorization: Bearer ${token}'\n`);
  const child = spawn(
    "node_modules/.bin/wrangler",
    [
      "dev",
      ...(flags.tcp ? ["functions/worker-hyperdrive.ts"] : []),
      ...["--ip", "127.0.0.1", "--port", flags.port, "--env-file", variables, "--show-interactive-dev-session=false"],
    ],
    // nothing of the network is asked: no statistics, no newer version, no copy of a request's cf
    {
      stdio: "inherit",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
    },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, "exit");
  process.exitCode = typeof code === "number" ? code : 0;
} finally {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
}
process.exit();
