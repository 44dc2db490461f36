import { parseArgs } from "node:util";
import { createDatabase } from "warmline";
import { type RunningApp, ServeError, type ServeOptions, serveApp } from "../functions/node.ts";
import { invitation } from "./demo/invitation.ts";
import { livePicture } from "./demo/live.ts";
import { startStage } from "./demo/stage.ts";
import { startWorld } from "./demo/world.ts";
import { demoContenders } from "./proof/contenders.ts";
import { paintStdout, proofTable, showProgress } from "./proof/report.ts";
import { type ProofRow, runProof } from "./proof/run.ts";

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
const [world, stage] = await startBoth();
const live = stage && livePicture(stage);
try {
  const databaseUrl = await world.seed("demo");
  const db = createDatabase({ url: databaseUrl });
  const rows: ProofRow[] = [];
  let isRunning = true;
  // whoever presses Ctrl-C does not wait for what a browser keeps
  const app = await serveNear({ db, port: ports.api, drainMs: 500, proof: () => ({ rows, isRunning }), live });
  console.error(`Proving on every transport; ${app.url} shows how far it is.`);
  const held = await Promise.race([prove(rows), stopAsked.then(() => undefined)]);
  isRunning = false;
  if (held !== undefined) {
    console.log(`\n${invitation({ apiUrl: app.url, endpointUrl: world.endpointUrl, databaseUrl })}`);
    if (flags.once) {
      console.log("\nThat was once: without --once all of this answers until Ctrl-C.");
      process.exitCode = held ? 0 : 1;
    } else {
      console.log(`\nOpen ${app.url} in a browser: two clients at work, and buttons that strike both. Serving until Ctrl-C.`);
      await stopAsked;
    }
  }
  live?.stop();
  await app.stop();
  await db.close();
} finally {
  await stage?.stop();
  await world.stop();
}
// A proof that was interrupted may still wait for an answer.
process.exit();

/** Nobody looks at a picture of a demo that ends by itself. */
async function startBoth() {
  return Promise.all([startWorld(ports.endpoint), flags.once ? undefined : startStage()]);
}

async function prove(rows: ProofRow[]): Promise<boolean> {
  await runProof(world, demoContenders, {
    invocations: INVOCATIONS,
    onProgress: showProgress(INVOCATIONS),
    onRow: (row) => rows.push(row),
  });
  console.log(`\n${proofTable(rows, paintStdout)}`);
  return rows.every((row) => row.held !== false);
}

async function serveNear(options: ServeOptions): Promise<RunningApp> {
  return serveApp(options).catch((error: unknown) => {
    if (!(error instanceof ServeError)) throw error;
    return serveApp({ ...options, port: 0 });
  });
}
