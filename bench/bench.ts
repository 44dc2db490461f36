import { fork } from "node:child_process";
import { once } from "node:events";
import { parseArgs } from "node:util";
import { type Case, openCases } from "./cases.ts";
import { compare, type Measured } from "./measure.ts";
import type { ServerAddresses } from "./servers.ts";

/** What warmline may cost at most, as a multiple of the bare driver's CPU. */
const HIGHEST_RATIO = 1.1;
/** The same code against itself may differ by this much; beyond it the machine is too busy for the numbers to mean anything. */
const HIGHEST_SELF_DIFFERENCE = 0.03;
/** Many short blocks: what disturbs the machine for a moment hits neighbours alike. */
const ROUNDS = 120;
/** How much longer the blocks of each attempt are than the case's own. */
const blockScales = [1, 2, 4];

interface Row extends Measured {
  readonly name: string;
}

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false } },
});
const servers = fork(new URL("./servers.ts", import.meta.url), {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
});
try {
  const [addresses] = (await once(servers, "message")) as [ServerAddresses];
  const { cases, close } = openCases(addresses);
  const rows: Row[] = [];
  for (const one of cases) rows.push(await measure(one));
  await close();
  console.log(flags.json ? JSON.stringify({ rows: rows.map(rounded) }) : table(rows));
  if (!rows.every((row) => isValid(row) && row.ratio <= HIGHEST_RATIO)) process.exitCode = 1;
} finally {
  servers.disconnect();
}

async function measure(one: Case): Promise<Row> {
  await warmUp(one);
  let row: Row | undefined;
  for (const scale of blockScales) {
    console.error(`${one.name}: ${ROUNDS} rounds A B B A of ${one.queriesPerBlock * scale} queries each …`);
    row = {
      name: one.name,
      ...(await compare({
        ...one,
        queriesPerBlock: one.queriesPerBlock * scale,
        rounds: ROUNDS,
      })),
    };
    if (isValid(row)) break;
    console.error(`${one.name}: void, the same code against itself gave ${row.selfRatio.toFixed(3)}.`);
  }
  return row as Row;
}

/** Lets the compiler see both ways before either is measured. */
async function warmUp({ ours, bare, queriesPerBlock }: Case): Promise<void> {
  for (let query = 0; query < queriesPerBlock * 10; query++) {
    await ours();
    await bare();
  }
}

function isValid({ selfRatio }: Measured): boolean {
  return Math.abs(selfRatio - 1) <= HIGHEST_SELF_DIFFERENCE;
}

function rounded(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === "number" ? Number(value.toFixed(4)) : value]),
  ) as unknown as Row;
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    [
      row.name.padEnd(28),
      row.cpuMicrosPerQuery.toFixed(1).padStart(10),
      row.bareCpuMicrosPerQuery.toFixed(1).padStart(10),
      row.ratio.toFixed(3).padStart(8),
      row.selfRatio.toFixed(3).padStart(8),
      verdict(row).padStart(9),
    ].join(""),
  );
  const head = [
    "case".padEnd(28),
    "µs/query".padStart(10),
    "bare".padStart(10),
    "ratio".padStart(8),
    "A/A".padStart(8),
    "".padStart(9),
  ].join("");
  return [head, ...lines, "", `CPU of this process; the ratio is to be at most ${HIGHEST_RATIO}.`].join("\n");
}

function verdict(row: Row): string {
  if (!isValid(row)) return "void";
  return row.ratio <= HIGHEST_RATIO ? "held" : "too high";
}
