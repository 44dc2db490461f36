import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

/**
 * What the demo over HTTP may weigh as it is uploaded, bytes of gzip. It was 76,800 before fates were made of evidence. Neon's driver is in it, and runs
 * when the first session is opened; that it and all else of decision 42 wait costs 5,600 bytes of esbuild's wrappers, for wrangler does not split, and our own
 * text parsers. The page takes 4,300.
 */
export const MAX_WORKER_GZIP_BYTES = 127_650;

/** A worker as `wrangler deploy` would upload it. */
export interface WorkerArtefact extends AsyncDisposable {
  readonly folder: string;
  /** Name of its one module in that folder. */
  readonly file: string;
  /** Size of that module, gzip level 9, bytes. */
  readonly gzipBytes: number;
}

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs wrangler so that it asks nothing of the network: no statistics, no newer version, no copy of a request's cf. Gives what it printed. */
export async function runWrangler(args: readonly string[]): Promise<string> {
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const { stdout } = await promisify(execFile)(join(root, "node_modules/.bin/wrangler"), args, { cwd: root, env });
  return stdout;
}

/**
 * Bundles the worker in the file `main` as wrangler.toml says, and uploads nothing. The package has to be built before.
 * @param flags compatibility flags
 */
export async function buildWorker(main: string, flags: readonly string[] = []): Promise<WorkerArtefact> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-worker-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const given = flags.flatMap((flag) => ["--compatibility-flags", flag]);
    await runWrangler(["deploy", main, "--dry-run", "--env=", `--outdir=${folder}`, ...given]);
    const file = basename(main).replace(/\.ts$/, ".js");
    const gzipBytes = gzipSync(await readFile(join(folder, file)), { level: 9 }).length;
    return { folder, file, gzipBytes, [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
