import type { ScaleRow } from "./predict.ts";
import { type Way, ways } from "./workload.ts";

const WIDTH = 900;
const PANEL = 190;
const GAP = 54;
const LEFT = 70;
const RIGHT = 230;
const TOP = 58;
/** Told apart on white and on black, and by their order where colours are not. */
const colours = ["#2f9e63", "#d0743c", "#4b8bd6", "#9a6dd7", "#c2a01f"];
const grey = "#7d8590";

interface Panel {
  readonly title: string;
  readonly ticks: readonly number[];
  /** From 0, at the bottom, to 1. */
  height(row: ScaleRow["model"]): number;
  tick(figure: number): number;
}

const log = (figure: number, low: number, high: number) => Math.log(Math.max(figure, low) / low) / Math.log(high / low);

const panels: readonly Panel[] = [
  {
    title: "calls that succeed, %",
    ticks: [0, 50, 100],
    height: ({ success }) => success,
    tick: (figure) => figure / 100,
  },
  {
    title: "p99 of those that do, ms",
    ticks: [10, 100, 1_000],
    height: ({ p99Ms }) => log(p99Ms, 8, 3_000),
    tick: (figure) => log(figure, 8, 3_000),
  },
  {
    title: "connections of the server",
    ticks: [1, 10, 100],
    height: ({ connections }) => log(connections, 1, 120),
    tick: (figure) => log(figure, 1, 120),
  },
];

/** What becomes of calls as environments multiply: lines are the model's, dots what was seen. */
export function asChart(rows: readonly ScaleRow[]): string {
  const sizes = [...new Set(rows.map(({ environments }) => environments))];
  const most = Math.max(...sizes);
  const x = (environments: number) => LEFT + log(environments, 1, most) * (WIDTH - LEFT - RIGHT);
  const height = TOP + panels.length * (PANEL + GAP);
  const drawn = panels.map((panel, index) => drawPanel(panel, rows, { x, top: TOP + index * (PANEL + GAP), sizes }));
  const legend = ways.map((way, index) => {
    const y = TOP + 10 + index * 22;
    return `<line x1="${WIDTH - RIGHT + 22}" x2="${WIDTH - RIGHT + 44}" y1="${y}" y2="${y}" stroke="${colours[index]}" stroke-width="2.5"/>
<text x="${WIDTH - RIGHT + 50}" y="${y + 4}" font-size="11">${way.title}</text>`;
  });
  const y = TOP + 10 + ways.length * 22;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"
  font-family="system-ui, sans-serif" font-size="12" fill="${grey}">
<title>1 to ${most.toLocaleString("en")} environments against 100 server connections</title>
<text x="12" y="22" font-size="15" font-weight="600">1 to ${most.toLocaleString("en")} environments against 100 server connections</text>
${legend.join("\n")}
<text x="${WIDTH - RIGHT + 22}" y="${y + 4}" font-size="11">lines: the model; dots: seen</text>
${drawn.join("\n")}
</svg>
`;
}

interface Place {
  x(environments: number): number;
  readonly top: number;
  readonly sizes: readonly number[];
}

function drawPanel(panel: Panel, rows: readonly ScaleRow[], place: Place): string {
  const { x, top, sizes } = place;
  const y = (part: number) => top + PANEL * (1 - Math.min(1, Math.max(0, part)));
  const ticks = panel.ticks.map(
    (
      tick,
    ) => `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(panel.tick(tick)).toFixed(1)}" y2="${y(panel.tick(tick)).toFixed(1)}" stroke="${grey}" stroke-opacity="0.3"/>
<text x="${LEFT - 8}" y="${(y(panel.tick(tick)) + 4).toFixed(1)}" text-anchor="end">${tick.toLocaleString("en")}</text>`,
  );
  const below = sizes
    .filter((size) => [1, 10, 50, 100, 200, 500, 1_000].includes(size))
    .map((size) => `<text x="${x(size).toFixed(1)}" y="${top + PANEL + 18}" text-anchor="middle">${size.toLocaleString("en")}</text>`);
  const lines = ways.map((way, index) => drawWay(panel, rows, { ...place, way, colour: colours[index] ?? grey, y }));
  return `<text x="${LEFT}" y="${top - 8}" font-weight="600">${panel.title}</text>
${[...ticks, ...below, ...lines].join("\n")}`;
}

interface Line extends Place {
  readonly way: Way;
  readonly colour: string;
  y(part: number): number;
}

function drawWay(panel: Panel, rows: readonly ScaleRow[], { way, colour, x, y }: Line): string {
  const own = rows.filter((row) => row.way === way.name);
  const place = (environments: number, of: ScaleRow["model"]) => [x(environments).toFixed(1), y(panel.height(of)).toFixed(1)] as const;
  const points = own
    .filter(({ model }) => Number.isFinite(panel.height(model)))
    .map(({ environments, model }) => place(environments, model).join(","));
  const dots = own.flatMap(({ environments, seen, void: reason }) => {
    // of what the machine was too busy for nothing is shown
    if (seen === null || reason !== null || !Number.isFinite(panel.height(seen))) return [];
    const [cx, cy] = place(environments, seen);
    return [`<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`];
  });
  return [`<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="2" stroke-opacity="0.8"/>`, ...dots].join(
    "\n",
  );
}
