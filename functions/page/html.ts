import { html, raw } from "hono/html";
import type { Counted } from "./counted.ts";
import type { Overview, Route } from "./overview.ts";
import { style } from "./style.ts";

/** What the page may load: nothing but its own style. */
export const contentSecurityPolicy: string =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Seconds after which a page that shows a running proof asks anew. */
const REFRESH_SECONDS = 2;

/** The overview as a page. `origin` is where it was asked for, `https://demo.example`. */
export function overviewPage(overview: Overview, origin: string) {
  const { proof } = overview;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${proof?.isRunning ? html`<meta http-equiv="refresh" content="${REFRESH_SECONDS}">` : ""}
<title>warmline demo</title>
<style>${raw(style)}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">warmline demo</p>
<h1>Warm connections, counted by the server</h1>
<p class="lead">${overviewLead(overview)}</p>
</header>
${overviewSections(overview, origin)}
</main>
</body>
</html>`;
}

/** What runs here, in a sentence or two. */
export function overviewLead({ why, runtime }: Overview) {
  return html`A small shop over one Postgres client: the same code on Node, in Workers and on Lambda. Here it runs on <b>${runtime}</b>, over
<b>${why.replace(/:.*/s, "")}</b>${why.replace(/^[^:]*/, "")}.`;
}

/** What stands below the heading. */
export function overviewSections(overview: Overview, origin: string) {
  const { proof, routes } = overview;
  return html`${numbers(overview)}
${proof === null ? "" : proofSection(proof)}
<section>
<h2>Routes</h2>
<ul class="routes">
${routes.map(routeItem)}
</ul>
</section>
<section>
<h2>Try it</h2>
<pre tabindex="0"><code>${tryLines(origin, overview.stats === null)}</code></pre>
<p class="note">Send the order twice: the second answer is the first order again. <code>X-Connection-Reused</code> on every answer tells that no
connection was opened for it.</p>
</section>`;
}

function numbers({ database, invocation, instanceId, stats }: Overview) {
  if (database === null) return html`<p class="trouble" role="status">The database does not answer. The log says why.</p>`;
  const { sessions, open, connectionId, connectionReused, backendPid } = database;
  return html`<section>
<h2 class="unseen">Now</h2>
<dl class="numbers">
<div><dt>sessions begun</dt><dd>${sessions}</dd><dd class="of">${open} open now, as Postgres counts</dd></div>
<div><dt>requests here</dt><dd>${invocation}</dd><dd class="of">by instance ${instanceId.slice(0, 8)}</dd></div>
<div><dt>this connection</dt><dd>${connectionReused === true ? "reused" : connectionReused === false ? "new" : "none held"}</dd>
<dd class="of">${connectionId === "n/a" ? "" : `${connectionId}, `}backend ${backendPid}</dd></div>
${
  stats === null
    ? ""
    : html`<div><dt>reuses</dt><dd>${stats.reuses}</dd><dd class="of">connects: ${stats.connects}, retries: ${stats.retries}</dd></div>`
}
</dl>
</section>`;
}

function proofSection({ rows, isRunning }: NonNullable<Overview["proof"]>) {
  const most = Math.max(1, ...rows.map(({ serverSessions }) => serverSessions));
  return html`<section id="proof" data-running="${isRunning}">
<h2>Sessions per transport</h2>
${
  rows.length === 0
    ? ""
    : html`<table>
<thead><tr><th scope="col">client</th><th scope="col">sessions the server counted</th><th scope="col">failures</th></tr></thead>
<tbody>
${rows.map((row) => proofRow(row, most))}
</tbody>
</table>`
}
<p class="note">${
    isRunning
      ? html`<span class="running" role="status">The proof is running …</span>`
      : "Each client answered the same request as often; on Lambda its process was frozen in between."
  }</p>
</section>`;
}

function proofRow({ runtime, transport, invocations, serverSessions, failures, held }: Counted, most: number) {
  const percent = Math.round((serverSessions / most) * 1_000) / 10;
  return html`<tr class="${held === null ? "bare" : "own"}">
<th scope="row">${held === null ? "" : "warmline, "}${transport}<small>${runtime}, ${invocations.toLocaleString("en")} requests</small></th>
<td><svg class="bar" width="${percent}%" aria-hidden="true"></svg><b>${serverSessions.toLocaleString("en")}</b></td>
<td class="${failures > 0 ? "failures" : "none"}">${failures.toLocaleString("en")}</td>
</tr>
`;
}

function routeItem({ method, path, summary }: Route) {
  const shown = method === "GET" && !path.includes("{") ? html`<a href="${path}">${path}</a>` : path;
  return html`<li><span class="method">${method}</span><code>${shown}</code><span class="summary">${summary}</span></li>
`;
}

function tryLines(origin: string, asksForToken: boolean): string {
  const token = asksForToken ? " -H 'Authorization: Bearer <API_TOKEN>'" : "";
  return [
    `curl -i ${origin}/products/1`,
    `curl -i -X POST ${origin}/orders${token} -H 'Content-Type: application/json' \\`,
    `  -H 'Idempotency-Key: my-first-order' -d '{"lines":[{"productId":1,"quantity":2}]}'`,
    `curl -s ${origin}/proof`,
    `curl -s ${origin}/stats${token}`,
  ].join("\n");
}
