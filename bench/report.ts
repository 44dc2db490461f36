import type { Machine } from "./machine.ts";
import { boundOf, type Row } from "./rows.ts";
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
  const limited = rows.filter(({ limit }) => limit !== undefined);
  const held = limited.filter(({ met }) => met).length;
  const voided = limited.filter((row) => row.void !== undefined).length;
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return `# Results of \`npm run bench\`

${date}, in one run of ${minutes} minutes. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.platform}.
${versions.join(", ")}.

Of ${limited.length} limits ${held} held, ${limited.length - held - voided} did not, and ${voided} could not be told from noise (void).

![Ours against the best peer of each row](results.svg)

| what | unit | ours | peers | to the best | limit | |
|---|---|---|---|---|---|---|
${rows.map(line).join("\n")}

## How it is measured

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
