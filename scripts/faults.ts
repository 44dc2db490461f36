import { parseArgs } from "node:util";
import { breaches, faults, runSuite, type Way, ways } from "../test/faults/run.ts";
import { faultJson, faultLine, faultTable } from "./faults/table.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string", default: "" },
    transport: { type: "string" },
  },
});
const rounds = flags.rounds === undefined ? undefined : Number(flags.rounds);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds takes a whole number from 1.");
if (flags.transport !== undefined && !ways.includes(flags.transport as Way))
  throw new Error(`--transport takes one of ${ways.join(", ")}.`);
const chosen = faults.filter(({ group, name }) => `${group}: ${name}`.includes(flags.only));

const broken: string[] = [];
const rows = await runSuite({
  faults: chosen,
  rounds,
  way: flags.transport as Way | undefined,
  onRow: (row, seconds) => console.error(`${faultLine(row)} · ${seconds.toFixed(1)} s`),
  onSkip: ({ group, name }, why) => console.error(`${group}: ${name} · SKIPPED: ${why}`),
  onBroken({ group, name }, way, error) {
    broken.push(`${group}: ${name} · ${way}`);
    console.error(`${broken.at(-1)} · NOTHING PROVED:`, error);
  },
});
if (rows.length + broken.length === 0)
  throw new Error("No fault fits --only and --transport. Rows of a new file run when test/faults/rows.ts names it.");
const failed = broken.length > 0 || rows.some((row) => breaches(row).length > 0);
// not by running out of work: Node 24 may spin for ever in taking down the TLS sockets that a row broke
process.stdout.write(`${flags.json ? faultJson(rows, broken) : faultTable(rows)}\n`, () => process.exit(failed ? 1 : 0));
