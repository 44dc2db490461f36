// `npm run test:package`: packs the tarball, installs it in an empty folder, and imports, compiles or bundles every entry with every tool, as
// the README and docs/lambda.md say.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { bundlers } from "./bundlers.ts";
import { edgeEntries, expectedFile, type Line } from "./expected.ts";
import { checkFirstContact } from "./first-contact.ts";
import { judgeBundle } from "./judge-bundle.ts";
import { checkLambda } from "./lambda.ts";
import { checkOpenNext } from "./opennext.ts";
import { checkRunners } from "./runners.ts";
import { runEntries } from "./runs.ts";
import { installForStranger } from "./stranger.ts";
import { installTools } from "./tools.ts";
import { checkTypeScript } from "./typescript.ts";

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const progress = (text: string) => console.error(text);
const lines: Line[] = [];

function report(found: readonly Line[]): void {
  lines.push(...found);
  for (const { tool, entry, chose, forbidden, problem } of found) {
    const inputs = forbidden.length === 0 ? "no forbidden input" : `FORBIDDEN: ${forbidden.join(", ")}`;
    progress(
      `${problem === undefined ? "✓" : "✗"} ${tool} · ${entry} → ${chose}, ${inputs}${problem === undefined ? "" : `\n    ${problem}`}`,
    );
  }
}

progress("installing the tools, and the package from its tarball");
const [tools, opennext, runtimes, lambda, runners, compilers, stranger] = await Promise.all([
  installTools("test/package/tools"),
  installTools("test/package/opennext"),
  installTools("test/runtimes/tools"),
  installTools("test/package/lambda"),
  installTools("test/package/runners"),
  installTools("test/package/typescript"),
  // the peers of single entries; all others have to do without
  installForStranger(["@opentelemetry/api", "drizzle-orm", "hono", "kysely"]),
]);
await using _ = stranger;
const { manifest, project, tarball } = stranger;
const entries = Object.keys(manifest.exports).filter((name) => name !== "./package.json");

for (const runtime of ["node", "bun", "deno"] as const) report(await runEntries(runtime, stranger, runtimes, entries));

for (const { name: tool, build, edge, bundle } of bundlers) {
  for (const entry of edge ? Object.keys(edgeEntries) : entries) {
    const file = join(project, "consumer.js");
    await writeFile(
      file,
      `import * as all from "${entry.replace(/^\./, manifest.name)}"; globalThis.all = all; export default { fetch: () => new Response(String(Object.keys(all))) };`,
    );
    const wanted = { tool, entry, edge, file: expectedFile(manifest, entry, build) };
    const found = await bundle({ project, file, tools }).then(
      (bundled) => judgeBundle(bundled, wanted),
      (error: Error) => ({ tool, entry, chose: "nothing", forbidden: [], problem: error.message.slice(0, 2_000) }),
    );
    report([found]);
  }
}

report([await checkTypes()]);
report(await checkTypeScript(stranger, compilers));
const server = await startPostgres();
try {
  report([await checkFirstContact(stranger, server.url())]);
  report(await checkRunners(stranger, runners, server.url()));
  report(await checkLambda(stranger, lambda, server.url()));
} finally {
  await server.stop();
}
for (const manner of ["bundled", "in serverExternalPackages"] as const) report([await checkOpenNext(stranger, opennext, manner)]);
if (flags.json) console.log(JSON.stringify({ lines }));
const failed = lines.filter(({ problem }) => problem !== undefined).length;
progress(`${lines.length} lines, ${failed} failed`);
if (failed > 0) process.exitCode = 1;

/** The module that is required is ESM, and its declarations say the same of it as CommonJS: two rules of attw's that Node has no use for. */
async function checkTypes(): Promise<Line> {
  const line = { tool: "attw", entry: "*", chose: "types", forbidden: [] };
  const args = [
    join(tools, "@arethetypeswrong/cli/dist/index.js"),
    tarball,
    "--ignore-rules",
    "cjs-resolves-to-esm",
    "false-cjs",
    "--no-color",
    "--no-emoji",
  ];
  return promisify(execFile)(process.execPath, args).then(
    () => line,
    ({ stdout }: { readonly stdout: string }) => ({ ...line, problem: stdout }),
  );
}
