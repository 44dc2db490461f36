import { execFile } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Outcome, Place } from "../../test/orm/orm.ts";
import { commandOf, environmentOf, type RuntimeName } from "../runtimes/command.ts";
import { type BundleOptions, bundleProgram, type Kind } from "./bundle.ts";
import { AT_ONCE, REQUESTS, sendRequests } from "./send.ts";
import { openWorker } from "./worker.ts";

/** A runtime, and a way from there to the server. */
export interface Way {
  readonly name: string;
  readonly transport: Place["transport"];
  readonly kind: Kind;
  /** Runs what was bundled. `backends` counts those at the server. */
  readonly run: (bundle: string, place: Place, tools: string, backends: () => Promise<number>) => Promise<Outcome>;
}

/** How long a program may take, milliseconds; ten times what it takes on a quiet machine. */
const RUN_LIMIT_MS = 60_000;

/** When nothing of a request may be left at the server. */
const BACKENDS_GO_MS = 1_000;

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
  async run(bundle, place, _, backends) {
    const isBound = transport === "request";
    const opened = isBound
      ? await openWorker(bundle, { hyperdrives: { HYPERDRIVE: place.url }, flags: ["nodejs_compat"] })
      : await openWorker(bundle, { bindings: { DATABASE_URL: place.url, WARMLINE_ENDPOINT: place.endpoint } });
    const { url } = opened;
    try {
      const signal = AbortSignal.timeout(RUN_LIMIT_MS);
      const response = await fetch(url, { method: "POST", body: JSON.stringify(place), signal });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      const outcome = JSON.parse(text) as Outcome;
      const problem = outcome.problem ?? (await underLoad(url));
      if (problem !== undefined) return { ...outcome, problem };
      // an endpoint keeps connections of its own
      if (transport === "http") return outcome;
      await delay(BACKENDS_GO_MS);
      const left = await backends();
      return left === 0 ? outcome : { ...outcome, problem: `${left} backends were left ${BACKENDS_GO_MS} ms after the last request.` };
    } finally {
      await opened.stop();
    }
  },
});

/** Sends requests to a worker. Resolves with what went wrong; every answer has to be the same. */
async function underLoad(url: URL): Promise<string | undefined> {
  const answers = new Map<string, number>();
  const answered = (text: string) => {
    const answer = text.slice(0, 300);
    answers.set(answer, (answers.get(answer) ?? 0) + 1);
  };
  await sendRequests(() => ({ url, answered }));
  const [first = ""] = answers.keys();
  if (answers.size === 1 && first.startsWith("200 ")) return undefined;
  return `Of ${REQUESTS} requests, ${AT_ONCE} at once: ${[...answers].map(([answer, times]) => `${times} × ${answer}`).join("; ")}`;
}

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
  backends: () => Promise<number>,
): Promise<Outcome & { readonly packages: readonly string[] }> {
  try {
    const packages = await bundleProgram(way.kind, options);
    return { packages, ...(await way.run(options.outfile, place, options.tools, backends)) };
  } catch (error) {
    return { packages: [], checks: [], problem: String(error).slice(-2_000) };
  }
}
