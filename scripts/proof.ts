import { parseArgs } from "node:util";
import { contenders } from "./proof-contenders.ts";
import { proofJson, proofTable, showProgress } from "./proof-report.ts";
import { runProof } from "./proof-run.ts";
import { startWorld } from "./proof-world.ts";

const INVOCATIONS = 1_000;

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false } },
});
const world = await startWorld();
try {
  const rows = await runProof(world, contenders, {
    invocations: INVOCATIONS,
    onProgress: showProgress(INVOCATIONS),
  });
  console.log(flags.json ? proofJson(rows) : proofTable(rows));
  if (!rows.every((row) => row.held)) process.exitCode = 1;
} finally {
  await world.stop();
}
