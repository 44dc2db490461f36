import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { findPgBouncer } from "../test/support/pgbouncer.ts";
import { asChart } from "./scale/chart.ts";
import { compare, impossibilities } from "./scale/predict.ts";
import { asTable, filled, type Recorded, sections, toleranceInWords } from "./scale/report.ts";
import { runReal } from "./scale/run.ts";
import { ways, workload } from "./scale/workload.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** Few environments against few connections, for a moment: shows that all of it runs. */
    quick: { type: "boolean", default: false },
    /** Renews docs/scale.md, its chart, and the record that the tests hold the model against. */
    write: { type: "boolean", default: false },
    /** With `--write`: from the record, without a run. */
    recorded: { type: "boolean", default: false },
  },
});
if (flags.quick && flags.write) throw new Error("A quick run measures nothing that could be written down.");

const record = new URL("./scale/recorded.json", import.meta.url);
const sizes = flags.quick ? [1, 12, 24] : [1, 10, 50, 100, 150, 200];
const beyond = flags.quick ? [100] : [300, 500, 700, 1_000];
const slots = flags.quick ? 16 : workload.slots;
const timing = flags.quick ? { warmUpMs: 300, ms: 700, longestMs: 20_000 } : { warmUpMs: 700, ms: 3_000, longestMs: 190_000 };

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interrupted.abort(new Error(`Ended by ${signal}; what was started is stopped.`)));
}

const recorded = flags.recorded ? (JSON.parse(await readFile(record, "utf8")) as Recorded) : await measure().catch(end);
const chosen = ways.filter(({ name }) => recorded.runs.some((run) => run.way === name));
const measured = sizes.filter((size) => recorded.runs.some(({ environments }) => environments === size));
const rows = chosen.flatMap((way) => compare(way, [...measured, ...beyond], { runs: recorded.runs, slots }));
const { backendMiB, pgbouncerMiB } = recorded;
if (flags.json) console.log(JSON.stringify({ rows, backendMiB, pgbouncerMiB }));
else console.log(`${asTable(rows, backendMiB)}\n\nThe model holds where it is near what was seen: ${toleranceInWords}.`);
if (flags.write) await write();
const impossible = impossibilities(rows, slots);
for (const line of impossible) console.error(line);
// what a quick run sees of the model in so short a time decides nothing
const isOff = !flags.quick && rows.some(({ off, void: reason }) => (off !== null && off.length > 0) || reason !== null);
if (isOff || impossible.length > 0) process.exitCode = 1;

async function measure(): Promise<Recorded> {
  const found = findPgBouncer() === undefined ? ways.filter(({ name }) => !name.startsWith("pgbouncer")) : ways;
  if (found.length < ways.length) console.error("PgBouncer is not installed: its rows are left out.");
  const progress = (line: string) => console.error(line);
  const real = await runReal({ sizes, ways: found, slots, ...timing, signal: interrupted.signal, progress });
  const [processor] = cpus();
  const machine = `${processor?.model.trim() ?? "unknown"}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  return { date: new Date().toISOString().slice(0, 10), machine, ...real };
}

function end(error: unknown): never {
  if (!interrupted.signal.aborted) throw error;
  console.error(interrupted.signal.reason.message);
  process.exit(130);
}

async function write(): Promise<void> {
  const document = new URL("../docs/scale.md", import.meta.url);
  await writeFile(document, filled(await readFile(document, "utf8"), sections(rows, recorded)));
  await writeFile(new URL("../docs/scale.svg", import.meta.url), asChart(rows));
  await writeFile(record, `${JSON.stringify(recorded, null, 2)}\n`);
  console.error("docs/scale.md, docs/scale.svg and scripts/scale/recorded.json are written.");
}
