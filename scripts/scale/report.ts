import { alignedTable, type Column } from "../report/aligned-table.ts";
import { calibrate, fleetOf, medianOf, mostServed, type ScaleRow, tolerance } from "./predict.ts";
import type { RealRun, RealRuns } from "./run.ts";
import { ways, workload } from "./workload.ts";

/** What a run came to: all that the document and its chart are made of. */
export interface Recorded extends RealRuns {
  /** `2026-11-26`. */
  readonly date: string;
  /** In words; nothing that names the machine. */
  readonly machine: string;
}

const titleOf = (name: string) => ways.find((way) => way.name === name)?.title ?? name;
const percent = (share: number) => (Number.isNaN(share) ? "–" : (share * 100).toFixed(share > 0.9995 || share === 0 ? 0 : 1));
const ms = (figure: number) => (Number.isFinite(figure) ? figure.toFixed(figure < 100 ? 1 : 0) : "–");

const verdict = ({ off, void: reason }: ScaleRow) => {
  if (off === null) return "model alone";
  if (off.length > 0) return `off: ${off.join(", ")}`;
  return reason === null ? "held" : `void: ${reason}`;
};

/** What is printed: what was seen beside the model. */
export function asTable(rows: readonly ScaleRow[], backendMiB: number | null): string {
  const columns: readonly Column<ScaleRow>[] = [
    ["way", ({ way }) => titleOf(way)],
    ["environments", ({ environments }) => environments],
    ["connections", ({ seen }) => seen?.connections ?? ""],
    ["success %", ({ seen }) => (seen === null ? "" : percent(seen.success))],
    ["p50 ms", ({ seen }) => (seen === null ? "" : ms(seen.p50Ms))],
    ["p99 ms", ({ seen }) => (seen === null ? "" : ms(seen.p99Ms))],
    ["model: connections", ({ model }) => model.connections],
    ["success %", ({ model }) => percent(model.success)],
    ["p50 ms", ({ model }) => ms(model.p50Ms)],
    ["p99 ms", ({ model }) => ms(model.p99Ms)],
    ["server MiB", ({ seen, model }) => (backendMiB === null ? "" : ((seen ?? model).connections * backendMiB).toFixed(0))],
    ["", verdict],
  ];
  return alignedTable(columns, rows).join("\n");
}

/** The parts of docs/scale.md that hold figures, by the names of their places. */
export function sections(rows: readonly ScaleRow[], recorded: Recorded): Readonly<Record<string, string>> {
  const { date, machine, backendMiB, pgbouncerMiB } = recorded;
  const judged = rows.filter(({ off }) => off !== null);
  const held = judged.filter(({ off, void: reason }) => off?.length === 0 && reason === null).length;
  const voided = judged.filter(({ off, void: reason }) => off?.length === 0 && reason !== null).length;
  const missed = judged.filter(({ off }) => off !== null && off.length > 0);
  const most = Math.max(...recorded.runs.map(({ environments }) => environments));
  return {
    run: `${date}, ${machine}; up to ${most} environments, a process of Node each. In brackets what the model says of the same, told how long the same statement took meanwhile on a
connection beside; of ${judged.length} rows it was right ${held} times${
      voided === 0 ? "" : `, and ${voided} are void, for the machine was too busy with other things`
    }${
      missed.length === 0
        ? ""
        : ` (missed: ${missed.map(({ way, environments, off }) => `${titleOf(way)} at ${environments}: ${off?.join(", ")}`).join("; ")})`
    }.

${markdown(["way", "environments", "server connections", "success, %", "p50, ms", "p99, ms", "server memory, MiB", ""], judged.map(seenCells(backendMiB)))}

A server connection had ${backendMiB ?? "–"} MiB of memory for itself after such statements${
      pgbouncerMiB === null ? "" : `, PgBouncer with ${most} clients ${pgbouncerMiB} MiB in all`
    }. What a backend reads of large tables and catalogues comes on top of that, and stays until it ends.`,
    model: `By the model, which was told how long a statement took that waited for nobody, what each way added to it, and how long a refusal took:

${markdown(["way", "environments", "server connections", "success, %", "p50, ms", "p99, ms", "server memory, MiB"], rows.filter(({ off }) => off === null).map(modelCells(backendMiB)))}`,
    sizes: `By the model: the most environments of which none is refused and whose p99 is at most twice what one alone sees.

${sizesTable(recorded)}`,
  };
}

const seenCells =
  (backendMiB: number | null) =>
  (row: ScaleRow): readonly string[] => {
    const { way, environments, seen, model } = row;
    const both = (one: string, another: string) => `${one} (${another})`;
    const connections = seen?.connections ?? 0;
    return [
      titleOf(way),
      environments.toLocaleString("en"),
      both(String(connections), String(model.connections)),
      both(percent(seen?.success ?? Number.NaN), percent(model.success)),
      both(ms(seen?.p50Ms ?? Number.NaN), ms(model.p50Ms)),
      both(ms(seen?.p99Ms ?? Number.NaN), ms(model.p99Ms)),
      memory(connections, backendMiB),
      verdict(row),
    ];
  };

const modelCells =
  (backendMiB: number | null) =>
  ({ way, environments, model }: ScaleRow): readonly string[] => [
    titleOf(way),
    environments.toLocaleString("en"),
    String(model.connections),
    percent(model.success),
    ms(model.p50Ms),
    ms(model.p99Ms),
    memory(model.connections, backendMiB),
  ];

const memory = (connections: number, backendMiB: number | null) => (backendMiB === null ? "–" : (connections * backendMiB).toFixed(0));

function markdown(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  return [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** What part of an environment's time its statements take together, in the columns of the table. */
const shares = [0.02, 0.06, 0.2, 0.5] as const;
const MOST_ENVIRONMENTS = 3_000;

function sizesTable({ runs }: { readonly runs: readonly RealRun[] }): string {
  const titles = ["way", ...shares.map((share) => `statements take ${share * 100} % of its time`)];
  const cells = ways.map((way) => {
    const fleet = fleetOf(way, 1, calibrate(way, runs));
    const own = shares.map((share) => {
      const statementMs = medianOf(fleet.statementMs);
      const latencyMs = statementMs * (way.sideBySide ? 1 : workload.statements);
      const thinkMs = (statementMs * workload.statements) / share - latencyMs;
      const most = mostServed({ ...fleet, thinkMs }, MOST_ENVIRONMENTS);
      return most === MOST_ENVIRONMENTS ? `${MOST_ENVIRONMENTS.toLocaleString("en")} and more` : most.toLocaleString("en");
    });
    return [way.title, ...own];
  });
  return markdown(titles, cells);
}

export const toleranceInWords = `success within ${tolerance.success} points, connections within ${tolerance.connections} × (or ${tolerance.fewConnections}), p50 within ${tolerance.p50} ×, p99 within ${tolerance.p99} × where there were ${tolerance.callsForP99} calls or more`;

/** The document with each place of that name filled anew: `<!-- run -->` up to `<!-- /run -->`. */
export function filled(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new Error(`docs/scale.md has no place "${begin}" to "${end}".`);
    return `${text.slice(0, from + begin.length)}\n${part}\n${text.slice(to)}`;
  }, document);
}
