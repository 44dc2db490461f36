import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Installs what one check alone needs: the package.json and lock file of a folder of this repository, with `npm ci` and without scripts, into
 * a cache beside the project's own packages. Installed once for each lock file. Resolves with the path of its `node_modules`.
 *
 * @throws Error with npm's words when a package cannot be had
 */
export async function installTools(folder: string): Promise<string> {
  const source = join(root, folder);
  const lock = await readFile(join(source, "package-lock.json"));
  const place = join(root, "node_modules/.cache/warmline", createHash("sha256").update(lock).digest("hex").slice(0, 16));
  if (await exists(place)) return join(place, "node_modules");
  // made beside its place and moved there whole: an install that was interrupted is never taken for one that was not
  const making = `${place}.${process.pid}`;
  await mkdir(making, { recursive: true });
  try {
    for (const name of ["package.json", "package-lock.json"]) await cp(join(source, name), join(making, name));
    await npm(making, "ci");
    await rename(making, place).catch(async (error) => {
      if (!(await exists(place))) throw error;
    });
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return join(place, "node_modules");
}

/** Runs npm in a folder, quietly, without scripts and without asking for anything that is not installed. Resolves with what it printed. */
export async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd,
    maxBuffer: 64 << 20,
  });
  return stdout;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
