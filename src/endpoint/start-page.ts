import { type Guide, guidesFor } from "./guides.ts";

const LEAD = "Neon's protocol in front of a Postgres of yours: SQL over HTTP at /sql, and WebSockets at /v2. For development and tests.";
const LOGIN =
  "User, password and database come with each request: give clients the database's own URL. Its host and port are not used; this endpoint was told which server to ask.";

const STYLE = `
:root { color-scheme: light dark; --soft: light-dark(#57606a, #9aa4ae); --line: light-dark(#d8dee4, #2d333b); --code: light-dark(#f6f8fa, #161b22); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 46rem; font: 16px/1.55 system-ui, sans-serif; color: light-dark(#1f2328, #e6edf3); background: light-dark(#fff, #0d1117); }
h1 { margin: 0 0 .5rem; font-size: 1.6rem; letter-spacing: -.01em; }
h1 span { color: var(--soft); font-weight: 400; }
h2 { margin: 2.25rem 0 .25rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: 1.1rem; }
p { margin: .25rem 0 .75rem; }
h2 + p, .login { color: var(--soft); font-size: .92rem; }
pre { margin: 0 0 .75rem; padding: .85rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--code); font: .84rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
@media (max-width: 40rem) { pre { white-space: pre-wrap; overflow-wrap: anywhere; } }
`;

/** What `GET /` is answered with: what this is, and how to point clients at it. HTML for whoever accepts it, plain text for all others. */
export function startPage(
  url: string,
  accept: string | undefined,
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const html = accept?.includes("text/html") === true;
  return {
    headers: {
      "Content-Type": `text/${html ? "html" : "plain"}; charset=utf-8`,
      // a page that loads nothing, not even an icon
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
      Vary: "Accept, Host",
    },
    body: html ? asHtml(guidesFor(url)) : asText(guidesFor(url)),
  };
}

function asText(guides: readonly Guide[]): string {
  const sections = guides.map(({ title, note, code }) => [`## ${title}`, note, ...code].join("\n\n"));
  return `${["# warmline endpoint", LEAD, LOGIN, ...sections].join("\n\n")}\n`;
}

function asHtml(guides: readonly Guide[]): string {
  const sections = guides.map(
    ({ title, note, code }) =>
      `<h2>${escapeHtml(title)}</h2>\n<p>${escapeHtml(note)}</p>\n${code.map((lines) => `<pre><code>${escapeHtml(lines)}</code></pre>`).join("\n")}`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>warmline endpoint</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
<h1>warmline <span>endpoint</span></h1>
<p>${escapeHtml(LEAD)}</p>
<p class="login">${escapeHtml(LOGIN)}</p>
${sections.join("\n")}
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
