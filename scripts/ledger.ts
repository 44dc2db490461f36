import { parseArgs } from "node:util";
import { availableWays, holds, type Kind, kinds, type LedgerRow, runLedger } from "../test/ledger/run.ts";
import { startPostgres } from "../test/support/postgres/server.ts";
import { ledgerTable, showLedgerProgress } from "./ledger/report.ts";

/** Transfers of the long seed, of the short ones, and of the quick one for CI. */
const LONG = 20_000;
const SHORT = 2_000;
const QUICK = 500;
const SHORT_SEEDS = 9;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    seed: { type: "string", default: "1" },
    transfers: { type: "string" },
    transport: { type: "string" },
    kind: { type: "string" },
    quick: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
  },
});

const seed = wholeNumber("seed", flags.seed);
const given = flags.transfers === undefined ? undefined : wholeNumber("transfers", flags.transfers);
const first = { seed, transfers: given ?? (flags.quick ? QUICK : LONG) };
const runs = flags.full
  ? [first, ...Array.from({ length: SHORT_SEEDS }, (_, index) => ({ seed: seed + index + 1, transfers: SHORT }))]
  : [first];
const ways = availableWays().filter((way) => flags.transport === undefined || way === flags.transport);
if (ways.length === 0) throw new Error("--transport takes one of pool, http, websocket, request, pgbouncer.");
if (flags.kind !== undefined && !kinds.includes(flags.kind as Kind)) throw new Error(`--kind takes one of ${kinds.join(", ")}.`);
const asked = flags.kind === undefined ? kinds : [flags.kind as Kind];
if (!availableWays().includes("pgbouncer"))
  console.error("*** pgbouncer is not installed, so nothing is proved behind one: apt-get install pgbouncer ***");

const server = await startPostgres({ settings: { max_connections: "300", deadlock_timeout: "50ms" } });
try {
  const rows: LedgerRow[] = [];
  let held = true;
  for (const way of ways) {
    for (const run of runs) {
      const options = { server, way, ...run, kinds: asked, onProgress: showLedgerProgress(way, run) };
      const row = await runLedger(options);
      rows.push(row);
      held &&= holds(row, options);
    }
  }
  console.log(flags.json ? JSON.stringify({ rows }) : ledgerTable(rows));
  if (!held) process.exitCode = 1;
} finally {
  await server.stop();
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number.`);
  return Number(text);
}
