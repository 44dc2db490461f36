import { execFile } from "node:child_process";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";

/** What loading a module took, in a process of its own that does nothing else. */
export interface Load {
  /** User and system time from before its import until after it. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of the heap, with what is garbage since: no collection runs meanwhile. */
  readonly allocatedBytes: number;
}

/** As plain text: nothing to strip first. */
const loadProcess = `
  globalThis.gc();
  const heap = process.memoryUsage().heapUsed, wall = performance.now(), cpu = process.cpuUsage();
  await import(process.argv[1]);
  const { user, system } = process.cpuUsage(cpu), wallMs = performance.now() - wall;
  const figures = { cpuMs: (user + system) / 1000, wallMs, allocatedBytes: process.memoryUsage().heapUsed - heap };
  process.stdout.write(JSON.stringify(figures), () => process.exit(0));
`;

/** Imports the module in a fresh process of `node`. Rejects with what it printed, if it cannot be loaded. */
export async function load(node: string, file: string): Promise<Load> {
  const args = ["--expose-gc", "--min-semi-space-size=64", "--max-semi-space-size=64"];
  const env = { PATH: process.env.PATH, DATABASE_URL: "postgres://app:none@127.0.0.1:1/app" };
  const { stdout } = await promisify(execFile)(node, [...args, "--input-type=module", "--eval", loadProcess, pathToFileURL(file).href], {
    env,
  });
  return JSON.parse(stdout) as Load;
}
