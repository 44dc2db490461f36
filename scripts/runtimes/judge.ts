import { execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import type { Failure } from "../../test/runtimes/judge.ts";
import { commandOf, environmentOf, type RuntimeName } from "./command.ts";

/** The runtimes that are judged against Node. */
export const runtimes = ["bun", "deno"] as const;

/** One run of the suite. */
export interface JudgeOptions {
  /** `node_modules` of the runtimes. */
  readonly tools: string;
  /** The bundled suite. */
  readonly module: string;
  readonly runtime: RuntimeName;
  readonly transport: "pool" | "http";
  readonly url: string;
  readonly endpoint: string;
  /** How many cases there have to be. */
  readonly cases: number;
}

/** What became of it. */
export interface Judged {
  readonly runtime: RuntimeName;
  readonly version: string;
  readonly transport: "pool" | "http";
  readonly cases: number;
  readonly failures: readonly Failure[];
  /** The file of the package that `import "warmline"` is there. */
  readonly entry: string;
  readonly ms: number;
  readonly ok: boolean;
  /** What is wrong beside the failures. */
  readonly problem?: string;
}

interface Line {
  readonly failure?: Failure;
  readonly cases?: number;
  readonly found?: string;
  readonly entry?: string;
}

/** How long the suite may take, milliseconds; two minutes would already be ten times what it takes on a quiet machine. */
const RUN_LIMIT_MS = 600_000;

/** Runs the suite on a runtime. Never rejects for what the suite finds. */
export async function judge({ tools, module, runtime, transport, url, endpoint, cases: wanted }: JudgeOptions): Promise<Judged> {
  const begun = Date.now();
  const { lines, end } = await run({ tools, module, runtime }, { runtime, transport, endpoint, postgres: { url } });
  const failures = lines.flatMap(({ failure }) => failure ?? []);
  const { cases = 0, found = "nothing", entry = "none" } = lines.find((line) => line.cases !== undefined) ?? {};
  const problem = findProblem({ cases, wanted, found, runtime, entry, end });
  return {
    runtime,
    version: await versionOf(runtime, tools),
    transport,
    cases,
    failures,
    entry,
    ms: Date.now() - begun,
    ok: failures.length === 0 && problem === undefined,
    ...(problem !== undefined && { problem }),
  };
}

/** How many cases there are on a runtime; none is run. */
export async function countOn(runtime: RuntimeName, { tools, module }: Pick<JudgeOptions, "tools" | "module">): Promise<number> {
  const { lines, end } = await run({ tools, module, runtime }, { runtime, transport: "pool", only: "count" });
  const cases = lines.at(-1)?.cases ?? 0;
  if (cases === 0) throw new Error(`There are no cases on ${runtime}: ${end}`);
  return cases;
}

interface Seen {
  readonly cases: number;
  readonly wanted: number;
  readonly found: string;
  readonly runtime: RuntimeName;
  readonly entry: string;
  readonly end: string;
}

function findProblem({ cases, wanted, found, runtime, entry, end }: Seen): string | undefined {
  if (end !== "") return `It did not end by itself: ${end}`;
  if (cases !== wanted) return `It ran ${cases} cases, and Node has ${wanted}.`;
  if (found !== runtime) return `It took the runtime for ${found}.`;
  return entry.endsWith("/node_modules/warmline/dist/node/warmline.js") ? undefined : `It took ${entry} for the package.`;
}

/** Resolves with the lines that are the judge's own, and the last words of one that ended otherwise than well. */
function run(
  { tools, module, runtime }: Pick<JudgeOptions, "tools" | "module" | "runtime">,
  provided: object,
): Promise<{ readonly lines: readonly Line[]; readonly end: string }> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = commandOf(runtime, tools);
    const child = spawn(file, [...args, module, JSON.stringify(provided)], {
      cwd: join(module, ".."),
      env: environmentOf(module),
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
    });
    const lines: Line[] = [];
    let words = "";
    createInterface(child.stdout).on("line", (line) => lines.push(...read(line)));
    child.stderr.setEncoding("utf8").on("data", (text) => {
      words = (words + text).slice(-2_000);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ lines, end: code === 0 ? "" : `${signal ?? `code ${code}`}\n${words}` }));
  });
}

function read(line: string): readonly Line[] {
  try {
    return [JSON.parse(line) as Line];
  } catch {
    return [];
  }
}

async function versionOf(runtime: RuntimeName, tools: string): Promise<string> {
  const [file] = commandOf(runtime, tools);
  const { stdout } = await promisify(execFile)(file, ["--version"]);
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "unknown";
}
