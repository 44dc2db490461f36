import { parseArgs } from "node:util";
import { startWorld } from "./demo/world.ts";
import { contenders } from "./proof/contenders.ts";
import { proofJson, proofTable, showProgress } from "./proof/report.ts";
import { runProof } from "./proof/run.ts";

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false }, invocations: { type: "string", default: "1000" } },
});
const invocations = Number(flags.invocations);
if (!Number.isInteger(invocations) || invocations < 1) throw new Error("--invocations takes a whole number from 1.");
const world = await startWorld();
try {
  const rows = await runProof(world, contenders, {
    invocations,
    onProgress: showProgress(invocations),
  });
  console.log(flags.json ? proofJson(rows) : proofTable(rows));
  if (!rows.every((row) => row.held)) process.exitCode = 1;
} finally {
  await world.stop();
}
