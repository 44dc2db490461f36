import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { Outcome, Place } from "../../test/orm/orm.ts";
import { commandOf, environmentOf, type RuntimeName } from "../runtimes/command.ts";
import { type BundleOptions, bundleProgram, type Kind } from "./bundle.ts";

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
    const { pathname: rootPath } = new URL(".", `file://${bundle}`);
    const binaries = (await readdir(rootPath)).filter((name) => name.endsWith(".wasm"));
    const hyperdrives = transport === "request" ? { HYPERDRIVE: place.url } : {};
    const runtime = new Miniflare(
      convertV4MiniflareOptions({
        host: "127.0.0.1",
        rootPath,
        modulesRoot: rootPath,
        modules: [
          { type: "ESModule", path: bundle },
          ...binaries.map((name) => ({ type: "CompiledWasm" as const, path: join(rootPath, name) })),
        ],
        compatibilityDate: await compatibilityDate(),
        compatibilityFlags: transport === "request" ? ["nodejs_compat"] : [],
        hyperdrives,
      }),
    );
    try {
      const signal = AbortSignal.timeout(RUN_LIMIT_MS);
      const response = await fetch(await runtime.ready, { method: "POST", body: JSON.stringify(place), signal });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return JSON.parse(text) as Outcome;
    } finally {
      await runtime.dispose();
    }
  },
});

async function compatibilityDate(): Promise<string> {
  const configuration = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  return /^compatibility_date = "(.+)"$/m.exec(configuration)?.[1] ?? "";
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
): Promise<Outcome & { readonly packages: readonly string[] }> {
  try {
    const packages = await bundleProgram(way.kind, options);
    return { packages, ...(await way.run(options.outfile, place, options.tools)) };
  } catch (error) {
    return { packages: [], checks: [], problem: String(error).slice(-2_000) };
  }
}
