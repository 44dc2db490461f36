import { fork } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { asChart } from "./chart.ts";
import { type Comparison, comparisons } from "./comparisons.ts";
import { contest } from "./contest.ts";
import { describeMachine, findBun } from "./machine.ts";
import { memoryRowNames, memoryRows } from "./memory-rows.ts";
import { asJson, asLimits, asMarkdown, sentence, withStart } from "./report.ts";
import { judge, type Row, voidRow } from "./rows.ts";
import type { ServerAddresses } from "./servers.ts";
import { isOfStart } from "./start/plan.ts";
import { startRowNames, startRows } from "./start-rows.ts";

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    /** Short blocks and few of them: shows that all of it runs, and measures nothing. */
    quick: { type: "boolean", default: false },
    /** Rows whose names begin so; `start`: all of its table, the queries over HTTP too. */
    only: { type: "string", multiple: true, default: [] },
    /** With `--only start`: renews that section of RESULTS.md. A run of all rows writes the whole of it. */
    write: { type: "boolean", default: false },
  },
});
const scale = flags.quick ? { rounds: 0, block: 0.05, warmUps: 1 } : { rounds: 1, block: 1, warmUps: 20 };
/** No row is measured once more after so long, minutes: a run takes a quarter of an hour at most. */
const MOST_MINUTES_TO_REPEAT = 7;

const isChosen = (name: string) =>
  flags.only.length === 0 || flags.only.some((chosen) => name.startsWith(chosen) || (chosen === "start" && isOfStart(name)));
const chosen = comparisons
  .map((comparison) => ({ ...comparison, rows: comparison.rows.filter(({ name }) => isChosen(name)) }))
  .filter(({ rows }) => rows.length > 0);
const memoryIsChosen = memoryRowNames.some(isChosen);
const startIsChosen = startRowNames.some(isChosen);
if (chosen.length === 0 && !memoryIsChosen && !startIsChosen) {
  const names = [...comparisons.flatMap(({ rows }) => rows.map(({ name }) => name)), ...memoryRowNames, ...startRowNames];
  throw new Error(`There is no row of that name. There are:\n${names.join("\n")}`);
}

const startedAt = performance.now();
const minutes = () => (performance.now() - startedAt) / 60_000;
const progress = (line: string) => console.error(line);

const servers = fork(new URL("./servers.ts", import.meta.url), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
try {
  const [addresses] = (await once(servers, "message")) as [ServerAddresses];
  const bun = chosen.some(needsBun) ? await findBun() : undefined;
  const rows: Row[] = [];
  const tell = (told: readonly Row[]) => {
    rows.push(...told);
    for (const row of told) progress(`  ${sentence(row)}`);
  };
  for (const [index, comparison] of chosen.entries()) {
    const entrants = comparison.entrants.map(({ name }) => name).join(", ");
    progress(`[${index + 1}/${chosen.length + (memoryIsChosen ? 1 : 0)}, minute ${minutes().toFixed(1)}] ${entrants}`);
    tell(await compare(comparison, addresses, bun));
  }
  if (memoryIsChosen) {
    progress(`[memory, minute ${minutes().toFixed(1)}]`);
    tell(await memoryRows(process.execPath, flags.quick ? undefined : addresses.databaseUrl, isChosen));
  }
  if (startIsChosen) {
    progress(`[start, minute ${minutes().toFixed(1)}]`);
    const { databaseUrl, endpointUrl } = addresses;
    tell(await startRows({ node: process.execPath, databaseUrl, endpointUrl, quick: flags.quick, isChosen, progress }));
  }
  const isWhole = !flags.quick && flags.only.length === 0;
  if (flags.json) console.log(asJson(rows));
  else if (flags.only.includes("start")) console.log(asLimits(rows.filter(({ name }) => isOfStart(name))));
  if (isWhole && !flags.json) await write(rows, addresses.version, bun);
  else if (flags.write && flags.only.join() === "start") await writeStart(rows);
  if (rows.some(({ met }) => met === false)) process.exitCode = 1;
} finally {
  servers.disconnect();
}

async function compare(comparison: Comparison, addresses: ServerAddresses, bun: string | undefined): Promise<readonly Row[]> {
  if (needsBun(comparison) && bun === undefined) return comparison.rows.map((plan) => voidRow(plan, "there is no Bun"));
  let repeatsLeft = flags.quick ? 0 : 1;
  const seen = await contest(comparison, {
    addresses,
    runtimes: { node: process.execPath, bun: bun ?? "" },
    scale,
    again(seen) {
      const repeats =
        repeatsLeft-- > 0 && minutes() < MOST_MINUTES_TO_REPEAT && comparison.rows.some((plan) => judge(plan, seen).void !== undefined);
      if (repeats) progress("  once more, for the machine was too busy to tell");
      return repeats;
    },
  });
  return comparison.rows.map((plan) => judge(plan, seen));
}

function needsBun({ entrants }: Comparison): boolean {
  return entrants.some(({ runtime }) => runtime === "bun");
}

/** Leaves the other sections as they are, and the chart, which does not show it. */
async function writeStart(rows: readonly Row[]): Promise<void> {
  const file = new URL("./RESULTS.md", import.meta.url);
  await writeFile(file, withStart(await readFile(file, "utf8"), rows, new Date().toISOString().slice(0, 10)));
  progress("The section of the start in bench/RESULTS.md is written.");
}

async function write(rows: readonly Row[], postgres: string, bun: string | undefined): Promise<void> {
  const machine = await describeMachine(postgres, bun);
  const date = new Date().toISOString().slice(0, 10);
  await writeFile(new URL("./RESULTS.md", import.meta.url), asMarkdown({ rows, machine, date, minutes: Math.ceil(minutes()) }));
  await writeFile(new URL("./results.svg", import.meta.url), asChart(rows.filter(({ name }) => !name.startsWith("start"))));
  progress("bench/RESULTS.md and bench/results.svg are written.");
}
