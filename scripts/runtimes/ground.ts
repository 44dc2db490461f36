import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { environmentOf } from "./command.ts";

const run = promisify(execFile);

/** Where a program is run, and what it asks. */
export interface Ground {
  /** `node_modules` of the runtimes. */
  readonly tools: string;
  /** A project with the package in it. */
  readonly project: string;
  readonly url: string;
  readonly endpoint: string;
}

/** What went otherwise than it should, in words. */
export type Problem = string;

/** What a command prints, whatever becomes of it; `file` is the program it runs. */
export async function printed({ url }: Ground, command: string, args: readonly string[], file: string): Promise<string> {
  const env = { ...environmentOf(file), DATABASE_URL: url };
  const { stdout, stderr } = await run(command, args, { cwd: join(file, ".."), env, timeout: 60_000 }).catch((error) => error);
  return `${stdout}${stderr}`.trim();
}
