import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { runWrangler } from "./artefact.ts";

/** What starting a worker takes, on this machine. */
export interface WorkerStartup {
  /** CPU of its start, with garbage collection, milliseconds. */
  readonly cpuMs: number;
  /** Of which the worker's own code. */
  readonly ownMs: number;
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

/**
 * Profiles the start of the worker in the file `main`, by `wrangler check startup`. The package has to be built before.
 * @param main Default: the one that wrangler.toml names
 */
export async function profileStartup(main = ""): Promise<WorkerStartup> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-startup-"));
  try {
    const file = join(folder, "startup.cpuprofile");
    await runWrangler(["check", "startup", "--outfile", file, `--args=${main} --env=`]);
    const { nodes, samples, timeDeltas } = JSON.parse(await readFile(file, "utf8")) as Profile;
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
    const ownFile = main === "" ? "worker.js" : basename(main).replace(/\.ts$/, ".js");
    const sum = (counts: (frame: Profile["nodes"][number]["callFrame"]) => boolean) => {
      const micros = samples.map((id, index) => {
        const frame = frames.get(id);
        return frame !== undefined && counts(frame) ? (timeDeltas[index] ?? 0) : 0;
      });
      return Math.round(micros.reduce((total, one) => total + one, 0) / 100) / 10;
    };
    return {
      cpuMs: sum(({ functionName }) => functionName !== "(idle)" && functionName !== "(root)"),
      ownMs: sum(({ url }) => url.endsWith(ownFile)),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
