import { alignedTable, type Column } from "../scripts/report/aligned-table.ts";
import type { Machine } from "./machine.ts";
import { boundOf, type Row } from "./rows.ts";
import { isOfStart } from "./start/plan.ts";
import type { Spread } from "./statistics.ts";

/** What is printed with `--json`: for each row its figures, in its unit, as medians. */
export function asJson(rows: readonly Row[]): string {
  return JSON.stringify({
    rows: rows.map(({ name, unit, ours, peers, ratioToBest, limit, met, void: reason }) => ({
      name,
      unit,
      ours: ours && rounded(ours.median),
      peers: Object.fromEntries(Object.entries(peers).map(([peer, { median }]) => [peer, rounded(median)])),
      ratioToBest: ratioToBest && rounded(ratioToBest),
      limit: limit === undefined ? null : boundOf(limit),
      met,
      ...(reason !== undefined && { void: reason }),
    })),
  });
}

/** A row in one line. */
export function sentence(row: Row): string {
  const peers = Object.entries(row.peers).map(([peer, spread]) => `${peer} ${figure(spread.median)}`);
  const ours = row.ours === null ? "–" : figure(row.ours.median);
  const ratio = row.ratioToBest === null ? "" : ` ratio ${row.ratioToBest.toFixed(2)}`;
  return `${row.name}: ${[ours, ...peers].join(" | ")} ${row.unit}${ratio} ${limitOf(row)} ${verdict(row)}`;
}

export interface Run {
  readonly rows: readonly Row[];
  readonly machine: Machine;
  /** `2026-11-26`. */
  readonly date: string;
  readonly minutes: number;
}

/** RESULTS.md. */
export function asMarkdown({ rows, machine, date, minutes }: Run): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const warm = rows.filter(({ name }) => !isOfStart(name));
  return `# Results of \`npm run bench\`

${date}, in one run of ${minutes} minutes. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}.
${versions.join(", ")}.

${tally(warm)}

![Ours against the best peer of each row](results.svg)

${table(warm)}

${startSection(rows, date)}
${HOW_IT_IS_MEASURED}

- Postgres, the endpoint and the wires are processes of their own, and so is each contestant: the CPU is user and system time of the contestant's
  process alone. All of a row run against the same server, on the same tables.
- Contestants are warmed up, stay warm, and take turns in blocks of some hundredths of a second: A B C, C B A, beginning with another one each round. A figure
  is the median of all blocks, with the quartiles in brackets. The ratio is the median of the ratios within a round, between neighbours: what disturbs
  the machine hits both.
- Each contestant is its own control: the two blocks of a round are the same code. Where they differ by more than a tenth, or where the limit lies
  within the ratio's interval of 95 % and that is wider than a tenth of it, the row is measured once more, then void: void is not held.
- Wall times and throughput include the server, which has the same cores. The far database answers behind a proxy that delays what the server says.
- A wait is a delay of a tenth of a second that passes before the first row; the fast calls' p99 is that of each block.
`;
}

const HOW_IT_IS_MEASURED = "## How it is measured";
const START = "## Start";

/** RESULTS.md with its section of the start made anew from a run of `--only start`, and all else as it was. */
export function withStart(document: string, rows: readonly Row[], date: string): string {
  const end = document.indexOf(HOW_IT_IS_MEASURED);
  if (end === -1) throw new Error(`bench/RESULTS.md has no section "${HOW_IT_IS_MEASURED}".`);
  const begin = document.indexOf(START);
  return `${document.slice(0, begin === -1 ? end : begin)}${startSection(rows, date)}\n${document.slice(end)}`;
}

function startSection(rows: readonly Row[], date: string): string {
  const own = rows.filter(({ name }) => isOfStart(name));
  if (own.length === 0) return "";
  return `${START}

What a module does when it is loaded, and what a query over HTTP takes: \`npm run bench -- --only start\`, ${date}. ${tally(own)}

${table(own.filter(({ limit }) => limit !== undefined))}

Without a limit:

${table(own.filter(({ limit }) => limit === undefined))}

- Each import is a process of its own that does nothing else; they take turns as below. CPU is user and system time from before the import until after it, on a
  function with a part of a processor about what the caller waits; allocated is what the heap grew by, no collection running. One file is esbuild's, minified, as
  a function is deployed; as installed is the package as npm leaves it. A split bundle reads at its start what no \`import()\` waits for.
- Ten workers start in one workerd, bundled by wrangler as they are deployed; the CPU is that of all its threads until all ten take requests, less that of ten
  empty ones, divided by ten. \`wrangler check startup\` samples each millisecond and is told beside it. A query in workerd is its CPU, forty to a request.
- Lambda's init is a process from its start until the handler is loaded, as in \`npm run init:lambda\`, beside a handler with pg and Hono alone; the handler is the demo's.
`;
}

/** What `--only start` prints: each limit, what was seen, and whether it held. */
export function asLimits(rows: readonly Row[]): string {
  const columns: readonly Column<Row>[] = [
    ["what", ({ name }) => name.replace(/^start: /, "")],
    ["seen", (row) => (row.ours === null ? "–" : figure(row.ours.median))],
    ["×", ({ ratioToBest }) => (ratioToBest === null ? "" : ratioToBest.toFixed(2))],
    ["limit", limitOf],
    ["unit", ({ unit }) => unit],
    ["", (row) => (row.void === undefined ? verdict(row) : "void")],
  ];
  return [
    ...alignedTable(
      columns,
      rows.filter(({ limit }) => limit !== undefined),
    ),
    "",
    tally(rows),
  ].join("\n");
}

function tally(rows: readonly Row[]): string {
  const limited = rows.filter(({ limit }) => limit !== undefined);
  const held = limited.filter(({ met }) => met).length;
  const voided = limited.filter((row) => row.void !== undefined).length;
  return `Of ${limited.length} limits ${held} held, ${limited.length - held - voided} did not, and ${voided} could not be told from noise (void).`;
}

function table(rows: readonly Row[]): string {
  return `| what | unit | ours | peers | to the best | limit | |
|---|---|---|---|---|---|---|
${rows.map(line).join("\n")}`;
}

function line(row: Row): string {
  const peers = Object.entries(row.peers).map(([peer, spread]) => `${peer} ${withSpread(spread)}`);
  const cells = [
    row.name,
    row.unit,
    row.ours === null ? "–" : withSpread(row.ours),
    peers.join("<br>") || "–",
    row.ratioToBest === null ? "–" : row.ratioToBest.toFixed(2),
    limitOf(row) || "–",
    verdict(row),
  ];
  return `| ${cells.join(" | ")} |`;
}

function limitOf({ limit, better }: Row): string {
  if (limit === undefined) return "";
  return `${better === "less" ? "≤" : "≥"} ${figure(boundOf(limit))}${"ratio" in limit ? " ×" : ""}`;
}

function verdict(row: Row): string {
  if (row.void !== undefined) return `void: ${row.void}`;
  if (row.met === null) return "";
  return row.met ? "held" : "not held";
}

function withSpread({ median, low, high }: Spread): string {
  return low === high ? figure(median) : `${figure(median)} (${figure(low)}–${figure(high)})`;
}

function figure(value: number): string {
  return rounded(value).toLocaleString("en", { maximumSignificantDigits: 4 });
}

/** To four significant digits. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
