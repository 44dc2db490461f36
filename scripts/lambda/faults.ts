import { parseArgs } from "node:util";
import { holds, runFaults } from "../../test/lambda/faults/run.ts";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { faultsJson, faultsTable, showFaultsProgress } from "./faults-report.ts";

const ROUNDS = 100;
const HANGING_ROUNDS = 10;

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false } },
});
// a server never learns of the connections that are swallowed, and keeps them
const server = await startPostgres({ settings: { max_connections: "300" } });
try {
  const rows = await runFaults(server, { rounds: ROUNDS, hangingRounds: HANGING_ROUNDS, onProgress: showFaultsProgress });
  console.log(flags.json ? faultsJson(rows) : faultsTable(rows));
  if (!rows.every(holds)) process.exitCode = 1;
} finally {
  await server.stop();
}
