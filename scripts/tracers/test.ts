// `npm run test:tracers`: everything a database and a pool do, in a process for each tracer that patches pg, and its calls under those that are told of
// them by tracing channels. Needs `dist`.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { startPostgres } from "../../test/support/postgres/server.ts";
import { installTools } from "../package/tools.ts";
import { alignedTable } from "../report/aligned-table.ts";

/** Each is a file in `test/tracers`. */
const tracers = [
  "datadog-6",
  "datadog-5",
  "datadog-dbm",
  "x-ray",
  "opentelemetry",
  "opentelemetry-context",
  "new-relic",
  "elastic",
  "sentry",
  "channels-opentelemetry",
  "channels-datadog",
  "channels-sentry",
];

/** How long one may take, milliseconds; ten times what it takes on a quiet machine. */
const RUN_LIMIT_MS = 90_000;

/** What became of one. */
interface Line {
  readonly tracer: string;
  /** For statements of the scenario. */
  readonly spans: number;
  readonly problems: readonly string[];
  readonly ms: number;
}

const { values: flags } = parseArgs({ options: { json: { type: "boolean", default: false }, only: { type: "string" } } });
const progress = (line: string) => console.error(line);

progress("installing the tracers");
const tools = await installTools("test/tracers/tools");
const left = tracers.filter((name) => flags.only === undefined || name === flags.only);
if (left.length === 0) throw new Error(`--only is one of ${tracers.join(", ")}.`);
const lines: Line[] = [];
// two at once: they mostly wait for connections to grow old
await Promise.all([work(), work()]);
for (const { tracer, problems } of lines) for (const problem of problems) progress(`✗ ${tracer}: ${problem}`);
const table = alignedTable<Line>(
  [
    ["tracer", ({ tracer }) => tracer],
    ["spans", ({ spans }) => spans],
    ["problems", ({ problems }) => problems.length],
    ["ms", ({ ms }) => ms],
  ],
  lines.toSorted((one, other) => tracers.indexOf(one.tracer) - tracers.indexOf(other.tracer)),
);
for (const line of table) progress(line);
if (flags.json) console.log(JSON.stringify({ lines }));
if (lines.some(({ problems }) => problems.length > 0)) process.exitCode = 1;

/** Takes one tracer after the other, over a server of its own: sessions that are left are counted. */
async function work(): Promise<void> {
  for (let tracer = left.shift(); tracer !== undefined; tracer = left.shift()) {
    const server = await startPostgres();
    try {
      lines.push(await run(tracer, server.url()));
    } finally {
      await server.stop();
    }
  }
}

/** Never rejects for what a tracer does. */
function run(tracer: string, url: string): Promise<Line> {
  const begun = Date.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`test/tracers/${tracer.startsWith("channels-") ? "run-channels" : "run"}.ts`, tracer], {
      env: { PATH: process.env.PATH, HOME: tools, TRACERS: tools, DATABASE_URL: url },
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    let found: Pick<Line, "spans" | "problems"> | undefined;
    let words = "";
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      words = (words + text).slice(-2_000);
    });
    child.once("error", reject);
    child.once("message", (message) => {
      found = message as typeof found;
    });
    child.once("close", (code, signal) => {
      const { spans = 0, problems = ["It told nothing."] } = found ?? {};
      const end = code === 0 ? [] : [`It did not end by itself: ${signal ?? `code ${code}`}\n${words}`];
      resolve({ tracer, spans, problems: [...problems, ...end], ms: Date.now() - begun });
    });
  });
}
