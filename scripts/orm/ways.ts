import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Outcome, Place } from "../../test/orm/orm.ts";
import { commandOf, environmentOf, type RuntimeName } from "../runtimes/command.ts";
import { type BundleOptions, bundleProgram, type Kind } from "./bundle.ts";
import { openWorker } from "./worker.ts";

/** A runtime, and a way from there to the server. */
export interface Way {
  readonly name: string;
  readonly transport: Place["transport"];
  readonly kind: Kind;
  /** Runs what was bundled. */
  readonly run: (bundle: string, place: Place, tools: string) => Promise<Outcome>;
}

/** How long a program may take, milliseconds; ten times what it takes on a quiet machine. */
const RUN_LIMIT_MS = 60_000;

const process = (runtime: RuntimeName, transport: "pool" | "http"): Way => ({
  name: `${runtime}, ${transport}`,
  transport,
  kind: "node",
  async run(bundle, place, tools) {
    const [file, ...args] = commandOf(runtime, tools);
    const { stdout } = await promisify(execFile)(file, [...args, bundle, JSON.stringify(place)], {
      cwd: join(bundle, ".."),
      env: environmentOf(bundle),
      timeout: RUN_LIMIT_MS,
      killSignal: "SIGKILL",
      maxBuffer: 64 << 20,
    });
    return JSON.parse(stdout) as Outcome;
  },
});

const worker = (transport: "http" | "request", kind: Kind): Way => ({
  name: `workerd, ${transport === "http" ? "http" : "Hyperdrive"}`,
  transport,
  kind,
  async run(bundle, place) {
    const isBound = transport === "request";
    const opened = await openWorker(bundle, isBound ? { HYPERDRIVE: place.url } : {}, isBound ? ["nodejs_compat"] : []);
    try {
      const signal = AbortSignal.timeout(RUN_LIMIT_MS);
      const response = await fetch(opened.url, { method: "POST", body: JSON.stringify(place), signal });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return JSON.parse(text) as Outcome;
    } finally {
      await opened.stop();
    }
  },
});

/** Every way; the first is what the others are held against. */
export const ways: readonly Way[] = [
  process("node", "pool"),
  process("node", "http"),
  process("bun", "pool"),
  process("bun", "http"),
  worker("http", "workerd over HTTP"),
  worker("request", "workerd over Hyperdrive"),
];

/** A program that uses a driver of its own. */
export const ownDriver: Way = { ...process("node", "pool"), name: "node, its own driver" };

/** Bundles a program for a way, and runs it. Never rejects. */
export async function runProgram(
  way: Way,
  options: BundleOptions,
  place: Place,
): Promise<Outcome & { readonly packages: readonly string[] }> {
  try {
    const packages = await bundleProgram(way.kind, options);
    return { packages, ...(await way.run(options.outfile, place, options.tools)) };
  } catch (error) {
    return { packages: [], checks: [], problem: String(error).slice(-2_000) };
  }
}
