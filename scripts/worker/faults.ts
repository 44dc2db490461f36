import { parseArgs } from "node:util";
import { startWorld } from "../demo/world.ts";
import { workerFaultsJson, workerFaultsTable } from "./faults/report.ts";
import { holds, runWorkerFaults } from "./faults/run.ts";

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false }, rounds: { type: "string", default: "1000" } },
});
const rounds = Number(flags.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1.");
const world = await startWorld();
try {
  const rows = await runWorkerFaults(world, {
    rounds,
    hangingRounds: Math.min(rounds, 100),
    onProgress: (load, contender, count) => console.error(`${load} · ${contender}: ${count.toLocaleString("en")} requests …`),
  });
  console.log(flags.json ? workerFaultsJson(rows) : workerFaultsTable(rows));
  if (!rows.every(holds)) process.exitCode = 1;
} finally {
  await world.stop();
}
