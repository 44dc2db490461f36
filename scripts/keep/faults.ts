import { parseArgs } from "node:util";
import { runBreaker } from "../../test/keep/breaker/run.ts";
import { clientNames, runKeepFaults } from "../../test/keep/faults/run.ts";
import { runLife } from "../../test/keep/lives/run.ts";
import { missingServers } from "../../test/keep/servers/find-program.ts";
import { keepJson, keepTable, reportHolds } from "./faults-report.ts";

/** A round of so many is enough where a client by default waits for the function's time-out. */
const HANGING_SHARE = 5;

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    invocations: { type: "string" },
    only: { type: "string" },
  },
});
const whole = (name: "rounds" | "invocations", otherwise: number) => {
  const value = Number(flags[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1.`);
  return value;
};
const clients = clientNames.filter((name) => flags.only === undefined || name === flags.only);
if (clients.length === 0) throw new Error(`--only takes one of ${clientNames.join(", ")}.`);

const missing = missingServers();
if (missing !== undefined) {
  console.error(`SKIPPED, nothing was proved: ${missing}`);
  if (flags.json) console.log(JSON.stringify({ skipped: missing }));
  process.exit();
}

const rounds = whole("rounds", flags.quick ? 2 : 20);
const invocations = whole("invocations", flags.quick ? 200 : 1_000);
const tell = (what: string) => void process.stderr.write(`${what} …\n`);
const rows = await runKeepFaults({
  rounds,
  hangingRounds: Math.ceil(rounds / HANGING_SHARE),
  clients,
  atOnce: flags.quick,
  onProgress: ({ client, fault }) => tell(`${client} · ${fault}: ${rounds} rounds`),
});
tell(`opossum: ${rounds} rounds`);
const breaker = await runBreaker(rounds);
tell(`a life of ${invocations} invocations`);
const life = await runLife(invocations);
const report = { rows, breaker, life };
console.log(flags.json ? keepJson(report) : keepTable(report));
if (!reportHolds(report)) process.exitCode = 1;
