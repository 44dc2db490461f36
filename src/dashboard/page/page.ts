import { bucketEndsMs } from "../totals.ts";
import { laneScript } from "./lanes.ts";
import { recordScript } from "./record.ts";
import { style } from "./style.ts";
import { viewScript } from "./view.ts";

/** One picture: a client of the database, and where its events are, relative to the page. */
interface Side {
  readonly name: string;
  readonly path: string;
  /** Lanes that have room. Default 12. */
  readonly lanes?: number;
}

/** Something that can be done to what is shown, by a POST to `path`. */
interface Strike {
  readonly label: string;
  readonly path: string;
}

/** What is on the page. */
export interface PageParts {
  readonly title: string;
  readonly heading: string;
  /** HTML, below the heading and below all of the picture. */
  readonly lead?: string;
  readonly below?: string;
  /** Beside the page's own. */
  readonly style?: string;
  readonly sides: readonly Side[];
  readonly strikes?: readonly Strike[];
  /** A path whose HTML is put into the element `proof` while that says it is running. */
  readonly proof?: string;
}

/** A page, and what it may load: nothing but what stands in it. */
export interface Page {
  readonly html: string;
  readonly contentSecurityPolicy: string;
}

/** Ten is the most connections of a pool that is told no number; in place of one that is lost another may be opened before that is known. */
const LANES = 12;
/** One more is for calls without a connection. */
const LANE_PX = 32;
const AXIS_PX = 20;
/** A line for the names of what happened to all lanes at once, and as many as may come together where there are strikes. */
const HEAD_PX = 16;
const STRUCK_HEAD_PX = 42;

const script = `"use strict";(()=>{${recordScript}${laneScript}${viewScript}})()`;

/** The whole page: one file, which asks for events and nothing else. */
export async function livePage(parts: PageParts): Promise<Page> {
  const { sides, strikes = [] } = parts;
  const lanes = Math.max(...sides.map((side) => side.lanes ?? LANES)) + 1;
  const head = strikes.length > 0 ? STRUCK_HEAD_PX : HEAD_PX;
  const styles = `${style}.lanes{height:${lanes * LANE_PX + AXIS_PX + head}px}${parts.style ?? ""}`;
  const config = {
    sides: sides.map((side) => ({ lanes: LANES, ...side })),
    strikes,
    bucketEndsMs,
    lane: LANE_PX,
    axis: AXIS_PX,
    head,
    proof: parts.proof,
  };
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(parts.title)}</title>
<link rel="icon" href="data:,">
<style>${styles}</style>
</head>
<body>
<main>
<header class="top">
<div><p class="eyebrow">${escaped(parts.title)}</p>
<h1>${escaped(parts.heading)}</h1>
${parts.lead === undefined ? "" : `<p class="lead">${parts.lead}</p>`}</div>
<div class="tools"><span class="chip" id="line">Connecting</span><button type="button" id="pause">Pause</button></div>
</header>
<noscript><p class="said">The picture is drawn by a script of this page.</p></noscript>
${strikes.length === 0 ? "" : strikeBar(strikes)}
<p class="unseen" role="status" aria-live="polite" id="polite"></p>
${legend}
<div class="sides${sides.length > 1 ? " pair" : ""}">${sides.map(sideOf).join("")}</div>
<section class="card plan" aria-labelledby="plan-name"><h2 id="plan-name">The plan, and why</h2><div id="plan"></div></section>
${parts.below ?? ""}
</main>
<script type="application/json" id="config">${JSON.stringify(config).replaceAll("<", "\\u003c")}</script>
<script>${script}</script>
</body>
</html>
`;
  const [scripts, styled] = await Promise.all([hashed(script), hashed(styles)]);
  return {
    html,
    contentSecurityPolicy: `default-src 'none'; script-src ${scripts}; style-src ${styled}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}

function strikeBar(strikes: readonly Strike[]): string {
  const buttons = strikes.map(
    ({ label }, place) => `<button type="button" data-strike="${place}"${place === 0 ? ' class="first"' : ""}>${escaped(label)}</button>`,
  );
  return `<div class="strikes" role="group" aria-label="Strike both sides">${buttons.join("")}</div>
<p class="said" id="said">Press one: it strikes both sides alike.</p>`;
}

/** The shapes of the canvas, once more. */
const legend = `<ul class="legend" aria-label="What the marks mean">
<li><svg viewBox="0 0 18 12" aria-hidden="true"><rect x="1" y="4" width="16" height="4" fill="var(--warm)"/></svg>warm: the connection had served before</li>
<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="M5 1l4 5-4 5-4-5z" fill="none" stroke="var(--cold)" stroke-width="1.6"/><rect x="9" y="4" width="8" height="4" fill="var(--cold)"/></svg>new connection</li>
<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="M5 1l5 10H0z" fill="var(--thaw)"/><rect x="10" y="5" width="7" height="4" fill="var(--thaw)"/></svg>thawed after a pause</li>
<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="M4 1v10" stroke="var(--ink)" stroke-width="2"/><path d="M8 6h8" stroke="var(--soft)" stroke-dasharray="2 2"/></svg>thrown away</li>
<li><svg viewBox="0 0 18 12" aria-hidden="true"><path d="M5 2l8 8m0-8l-8 8" stroke="var(--fail)" stroke-width="2"/></svg>failed</li>
<li><svg viewBox="0 0 18 12" aria-hidden="true"><circle cx="9" cy="6" r="4" fill="none" stroke="var(--ink)" stroke-width="1.6"/></svg>tried again</li>
<li>A bar is as long as its call, waiting included.</li>
</ul>`;

const big = ["failed", "answered", "healed", "warm"];
const small = [
  "open",
  "idle",
  "on the way",
  "waiting",
  "breaker",
  "opened",
  "discarded",
  "thawed",
  "retried",
  "pipelined",
  "slow",
  "leaked",
];

function sideOf({ name }: Side, place: number): string {
  const fact = (label: string) => `<div data-fact="${label}"><dt>${label}</dt><dd>–</dd></div>`;
  const bars = bucketEndsMs.map(() => "<i></i>").join("");
  const ends = [...bucketEndsMs.map((ms) => (ms < 1_000 ? String(ms) : `${ms / 1_000}s`)), "…"];
  return `<section class="card side" id="side-${place}" aria-labelledby="name-${place}">
<div class="head"><h2 id="name-${place}">${escaped(name)}</h2><span class="chip">No news yet</span></div>
<p class="about">&nbsp;</p>
<dl class="big">${big.map(fact).join("")}</dl>
<canvas class="lanes" role="img" aria-label="Calls on each connection over the last seconds; the text below says the same."></canvas>
<p class="words">No call yet: lanes fill as calls come.</p>
<details><summary>Connections as a table</summary><table><thead><tr><th scope="col">connection</th><th scope="col">calls seen</th><th scope="col">last call</th><th scope="col">state</th></tr></thead><tbody></tbody></table></details>
<dl class="small">${small.map(fact).join("")}</dl>
<div class="lower"><div><h3>How long calls took, in the last minute</h3>
<div class="bars" role="img" aria-label="Histogram of durations; the quantiles below say what it shows.">${bars}<i></i></div>
<div class="scale" aria-hidden="true">${ends.map((end) => `<span>${end}</span>`).join("")}</div>
<p class="quantiles">ms · no call yet</p></div>
<div><h3>Last errors</h3><ul class="errors" tabindex="0" aria-label="Last errors of ${escaped(name)}"><li class="none">None.</li></ul></div></div>
</section>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** As a Content-Security-Policy names what stands in a page. */
async function hashed(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return `'sha256-${btoa(String.fromCharCode(...digest))}'`;
}
