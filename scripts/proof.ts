import { parseArgs } from "node:util";
import { startWorld } from "./demo/world.ts";
import { contenders } from "./proof/contenders.ts";
import { paintStdout, proofJson, proofTable, showProgress } from "./proof/report.ts";
import { runProof } from "./proof/run.ts";

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false }, invocations: { type: "string", default: "1000" }, only: { type: "string" } },
});
const invocations = Number(flags.invocations);
if (!Number.isInteger(invocations) || invocations < 1) throw new Error("--invocations takes a whole number from 1.");
const chosen = contenders.filter(({ runtime }) => (flags.only ?? runtime) === runtime);
if (chosen.length === 0) throw new Error(`--only takes one of ${[...new Set(contenders.map(({ runtime }) => runtime))].join(", ")}.`);
const world = await startWorld();
try {
  const rows = await runProof(world, chosen, {
    invocations,
    onProgress: showProgress(invocations),
  });
  console.log(flags.json ? proofJson(rows) : proofTable(rows, paintStdout));
  if (rows.some((row) => row.held === false)) process.exitCode = 1;
} finally {
  await world.stop();
}
