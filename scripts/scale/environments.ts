import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Order } from "./environment-process.ts";

/** Environments, a process each. */
export interface Environments extends AsyncDisposable {
  /** Starts as many as are missing. */
  grow(count: number): Promise<void>;
  /** Tells the first so many the same, each with its number, and waits for all of their answers. Default of `atOnce`: all of them. */
  tell<Answer>(count: number, order: (number: number) => Order, atOnce?: number): Promise<readonly Answer[]>;
}

interface Environment extends AsyncDisposable {
  tell(order: Order): Promise<unknown>;
}

/** So many start at once: each takes a processor for a tenth of a second. */
export const STARTS_AT_ONCE = 8;

/** Bundles what an environment runs; none is started yet. They end with this process, however that ends, for their input does. */
export async function openEnvironments(): Promise<Environments> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-scale-"));
  await bundle(folder);
  const running: Environment[] = [];
  return {
    async grow(count) {
      while (running.length < count) {
        const more = Array.from({ length: Math.min(STARTS_AT_ONCE, count - running.length) }, () => start(folder));
        running.push(...more);
        await Promise.all(more.map(({ tell }) => tell({ do: "close" })));
      }
    },
    async tell<Answer>(count: number, order: (number: number) => Order, atOnce = count) {
      const answers: Answer[] = [];
      let told = 0;
      const lane = async () => {
        for (let number = told++; number < count; number = told++) {
          answers[number] = (await running[number]?.tell(order(number))) as Answer;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, lane));
      return answers;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((environment) => environment[Symbol.asyncDispose]()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As a function is deployed: minified, and each client in a chunk of its own. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL("./environment-process.ts", import.meta.url))],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    legalComments: "none",
    logLevel: "error",
    external: ["pg-native", "pg-cloudflare", "@aws-sdk/*"],
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
}

function start(folder: string): Environment {
  // a small heap, for there are two hundred of them
  const args = ["--max-old-space-size=64", join(folder, "environment-process.mjs")];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async tell(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const line = await lines.next();
      if (line.done) throw new Error("An environment ended.");
      return JSON.parse(line.value);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const impatient = setTimeout(() => child.kill("SIGKILL"), 3_000);
      await ended;
      clearTimeout(impatient);
    },
  };
}
