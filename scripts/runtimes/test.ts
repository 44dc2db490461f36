// `npm run test:runtimes`: the conformance suite on Bun and Deno, over a pool and over HTTP, against the package as it is installed.
import { parseArgs } from "node:util";
import { startEndpoint } from "warmline/endpoint";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { installForStranger } from "../package/stranger.ts";
import { installTools } from "../package/tools.ts";
import { bundleJudge } from "./bundle.ts";
import { countOn, type Judged, judge, runtimes } from "./judge.ts";
import { checkOtherWays } from "./other-ways.ts";
import { checkPermissions } from "./permissions.ts";

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const progress = (line: string) => console.error(line);

progress("installing Bun, Deno, and the package from its tarball");
const [tools, stranger] = await Promise.all([installTools("test/runtimes/tools"), installForStranger()]);
await using _ = stranger;
const module = await bundleJudge(stranger.project, tools);
const server = await startPostgres({ settings: { max_connections: "200" } });
const endpoint = await startEndpoint({ databaseUrl: server.url(), port: 0 });
const results: Judged[] = [];
const problems: string[] = [];
try {
  const ground = { tools, project: stranger.project, url: server.url(), endpoint: endpoint.url };
  problems.push(...(await checkPermissions(ground)), ...(await checkOtherWays(ground)));
  for (const problem of problems) progress(`✗ ${problem}`);
  progress(`${problems.length} of Deno's permissions, compiled programs, test runners and --hot went wrong`);
  const cases = await countOn("node", { tools, module });
  progress(`${cases} cases on Node`);
  for (const runtime of runtimes) {
    for (const transport of ["pool", "http"] as const) {
      const judged = await judge({ tools, module, runtime, transport, url: server.url(), endpoint: endpoint.url, cases });
      results.push(judged);
      report(judged);
    }
  }
} finally {
  await endpoint.stop();
  await server.stop();
}
if (flags.json) console.log(JSON.stringify({ results, problems }));
if (problems.length > 0 || !results.every(({ ok }) => ok)) process.exitCode = 1;

function report({ ok, runtime, version, transport, cases, failures, ms, problem }: Judged): void {
  for (const { title, message } of failures) progress(`  ✗ ${title}\n    ${message.replaceAll("\n", "\n    ")}`);
  progress(`${ok ? "✓" : "✗"} ${runtime} ${version}, ${transport}: ${cases} cases, ${failures.length} failed, ${ms} ms`);
  if (problem !== undefined) progress(`  ${problem}`);
}
