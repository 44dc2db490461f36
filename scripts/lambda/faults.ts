import { parseArgs } from "node:util";
import { holds, runFaults } from "../../test/lambda/faults/run.ts";
import { holdsTime, runTimeRounds } from "../../test/lambda/faults/time-run.ts";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { faultsJson, faultsTable, showFaultsProgress } from "./faults-report.ts";

const groups = ["freezes", "time"] as const;
const HANGING_ROUNDS = 10;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string", default: "100" },
    only: { type: "string" },
  },
});
const rounds = Number(flags.rounds);
if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1.");
const chosen = groups.filter((group) => flags.only === undefined || group === flags.only);
if (chosen.length === 0) throw new Error(`--only takes one of ${groups.join(", ")}.`);

// a server never learns of the connections that are swallowed, and keeps them
const server = await startPostgres({ settings: { max_connections: "300" } });
try {
  const freezes = { rounds, hangingRounds: Math.min(rounds, HANGING_ROUNDS), onProgress: showFaultsProgress };
  const rows = chosen.includes("freezes") ? await runFaults(server, freezes) : [];
  const onProgress = (fault: string, done: number, all: number) => showFaultsProgress(fault, "warmline", done, all);
  const time = chosen.includes("time") ? await runTimeRounds(server, { rounds, onProgress }) : [];
  console.log(flags.json ? faultsJson(rows, time) : faultsTable(rows, time));
  if (!rows.every(holds) || !time.every(holdsTime)) process.exitCode = 1;
} finally {
  await server.stop();
}
