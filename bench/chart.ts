import type { Row } from "./rows.ts";

/** The rows of the chart: those that compare with others, and whose limit is one of that. */
function headlines(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ limit, ratioToBest }) => limit !== undefined && "ratio" in limit && ratioToBest !== null);
}

const WIDTH = 900;
const LABELS = 420;
const BAR = 16;
const STEP = 27;
const TOP = 56;
/** Beyond it a bar is cut: a ratio of ten would make all others unreadable. */
const MOST = 3;
/** Told apart on white and on black. */
const colours = { text: "#7d8590", axis: "#7d8590", better: "#2f9e63", worse: "#d0743c" };

/**
 * How many times as good as the best peer of each row ours is, as bars: as many times the throughput, or a part of the time. One is the best
 * peer itself. What is void is a frame without a filling.
 */
export function asChart(rows: readonly Row[]): string {
  const shown = headlines(rows);
  const height = TOP + shown.length * STEP + 16;
  const unit = (WIDTH - LABELS - 70) / MOST;
  const one = LABELS + unit;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img"
  font-family="system-ui, sans-serif" font-size="13" fill="${colours.text}">
<title>warmline against the best peer of each row</title>
<text x="12" y="22" font-size="15" font-weight="600">Times as good as the best peer (longer is better)</text>
<text x="${one}" y="44" text-anchor="middle">1 = the best peer</text>
${shown.map((row, index) => bar(row, TOP + index * STEP, unit)).join("\n")}
<line x1="${one}" x2="${one}" y1="${TOP - 6}" y2="${height - 12}" stroke="${colours.axis}" stroke-dasharray="3 3"/>
</svg>
`;
}

function bar(row: Row, top: number, unit: number): string {
  const ratio = row.ratioToBest as number;
  const times = row.better === "more" ? ratio : 1 / ratio;
  const length = Math.min(times, MOST) * unit;
  const colour = times >= 1 ? colours.better : colours.worse;
  const filling = row.void === undefined ? `fill="${colour}"` : `fill="none" stroke="${colour}"`;
  const words = row.void === undefined ? times.toFixed(2) : `void`;
  const middle = top + BAR / 2 + 4.5;
  return [
    `<text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escaped(row.name)}</text>`,
    `<rect x="${LABELS}" y="${top}" width="${length.toFixed(1)}" height="${BAR}" rx="2" ${filling}/>`,
    `<text x="${(LABELS + length + 8).toFixed(1)}" y="${middle}">${words}</text>`,
  ].join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
