import { parseArgs } from "node:util";
import { createDatabase } from "warmline";
import { type RunningApp, ServeError, type ServeOptions, serveApp } from "../functions/node.ts";
import { invitation } from "./demo/invitation.ts";
import { startWorld } from "./demo/world.ts";
import { demoContenders } from "./proof/contenders.ts";
import { proofTable, showProgress } from "./proof/report.ts";
import { runProof } from "./proof/run.ts";

/** Where the demo listens unless something else does; then on any free port. */
const ports = { endpoint: 4444, api: 8787 };
const INVOCATIONS = 1_000;

const { values: flags } = parseArgs({
  options: { once: { type: "boolean", default: false } },
});
const stopAsked = new Promise<void>((resolve) => {
  process.once("SIGINT", resolve).once("SIGTERM", resolve);
});

console.error("Starting Postgres and the SQL-over-HTTP endpoint …");
const world = await startWorld(ports.endpoint);
try {
  const db = createDatabase({ url: await world.seed("demo") });
  const app = await serveNear({ db, port: ports.api });
  const held = await Promise.race([prove(), stopAsked.then(() => undefined)]);
  if (held !== undefined) {
    console.log(`\n${invitation({ apiUrl: app.url, endpointUrl: world.endpointUrl })}`);
    if (flags.once) process.exitCode = held ? 0 : 1;
    else {
      console.log("\nServing until Ctrl-C.");
      await stopAsked;
    }
  }
  await app.stop();
  await db.close();
} finally {
  await world.stop();
}
// A proof that was interrupted may still wait for an answer.
process.exit();

async function prove(): Promise<boolean> {
  const rows = await runProof(world, demoContenders, {
    invocations: INVOCATIONS,
    onProgress: showProgress(INVOCATIONS),
  });
  console.log(`\n${proofTable(rows)}`);
  return rows.every((row) => row.held);
}

async function serveNear(options: ServeOptions): Promise<RunningApp> {
  return serveApp(options).catch((error: unknown) => {
    if (!(error instanceof ServeError)) throw error;
    return serveApp({ ...options, port: 0 });
  });
}
