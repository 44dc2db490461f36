import { execFile } from "node:child_process";
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The files of a folder that are somebody's own, below it, with `/` between. */
export interface FileList {
  readonly files: readonly string[];
  /** What was not looked into, in words; undefined where the list is whole. */
  readonly missing: string | undefined;
}

/** Folders that hold what others wrote, or a tool made. */
const notOwn = new Set([
  ...["node_modules", "dist", "build", "out", "coverage", "vendor", "public"],
  ...[
    ".git",
    ".next",
    ".open-next",
    ".nuxt",
    ".output",
    ".svelte-kit",
    ".turbo",
    ".vercel",
    ".wrangler",
    ".yarn",
    ".serverless",
    "cdk.out",
  ],
]);

/** Whether a path leads through one of them. */
function isOwn(path: string): boolean {
  return !path.split("/").some((part) => notOwn.has(part));
}

/**
 * Lists them as git does, who reads `.gitignore` as nobody else. Where there is no git, or no repository, every folder is walked but those that
 * are known not to be anybody's own.
 */
export async function listFiles(folder: string, signal: AbortSignal): Promise<FileList> {
  try {
    // a repository's own settings may name programs to run
    const args = ["-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    const { stdout } = await promisify(execFile)("git", args, { cwd: folder, signal, maxBuffer: 256 * 1_048_576 });
    const listed = [...new Set(stdout.split("\0"))].filter((path) => path !== "");
    // a folder that the repository around it ignores
    return listed.length === 0 ? await walk(folder, signal) : { files: listed.filter(isOwn), missing: undefined };
  } catch {
    return walk(folder, signal);
  }
}

async function walk(root: string, signal: AbortSignal): Promise<FileList> {
  const files: string[] = [];
  const folders = [""];
  let closed = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (signal.aborted) return { files, missing: `${folders.length + 1} folders or more, for the time was over` };
    try {
      for await (const entry of await opendir(join(root, folder))) {
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        if (entry.isFile()) files.push(path);
        else if (entry.isDirectory() && !notOwn.has(entry.name)) folders.push(path);
        if (signal.aborted) break;
      }
    } catch {
      closed += 1;
    }
  }
  return { files, missing: closed === 0 ? undefined : `${closed} folders that cannot be read` };
}
