import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import type { WorkerArtefact } from "../../test/support/worker/artefact.ts";

/** A workerd of one's own, without wrangler or miniflare around it, which would be counted. */
export interface Workerd extends AsyncDisposable {
  /** Of the first copy of the worker. */
  readonly url: URL;
  /** CPU of the whole process so far, milliseconds, all threads. Linux alone tells it. */
  cpuMs(): Promise<number>;
}

/** How a worker is served. */
export interface WorkerdOptions {
  /** So many workers of the same code, each with a start of its own. Default: 1. */
  readonly copies?: number;
  /** Default: none. */
  readonly vars?: Readonly<Record<string, string>>;
}

const here = createRequire(import.meta.url);
const workerdPath = () => (createRequire(here.resolve("miniflare"))("workerd") as { readonly default: string }).default;

/** Serves a worker; resolves when each of its copies has been started and takes requests. */
export async function startWorkerd(artefact: WorkerArtefact, { copies = 1, vars = {} }: WorkerdOptions = {}): Promise<Workerd> {
  const config = join(artefact.folder, "workerd.capnp");
  await writeFile(config, await configure(artefact.file, copies, vars));
  const child = spawn(workerdPath(), ["serve", config, "--control-fd=3"], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  let words = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    words = (words + text).slice(-2_000);
  });
  const ports: number[] = [];
  for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port?: number };
    if (event === "listen" && port !== undefined) ports.push(port);
    if (ports.length === copies) break;
  }
  if (ports.length < copies) throw new Error(`workerd did not start: ${words}`);
  return {
    url: new URL(`http://127.0.0.1:${ports[0]}/`),
    cpuMs: () => cpuOf(child.pid as number),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function configure(file: string, copies: number, vars: Readonly<Record<string, string>>): Promise<string> {
  const bindings = Object.entries(vars).map(([name, value]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(value)})`);
  const date = /^compatibility_date = "(.+)"$/m.exec(await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8"))?.[1] ?? "";
  const numbers = Array.from({ length: copies }, (_, index) => index);
  const services = numbers.map(
    (number) => `(name = "w${number}", worker = (modules = [(name = "worker.js", esModule = embed ${JSON.stringify(file)})],
      compatibilityDate = ${JSON.stringify(date)}, bindings = [${bindings.join(", ")}]))`,
  );
  const sockets = numbers.map((number) => `(name = "s${number}", address = "127.0.0.1:0", http = (), service = "w${number}")`);
  // "internet" is where a worker's fetch goes: the endpoint is on this machine
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "internet", network = (allow = ["public", "private", "local"])), ${services.join(", ")}],
  sockets = [${sockets.join(", ")}]
);`;
}

/** The first figure of a thread's schedstat is its time on a processor, nanoseconds: finer than the ticks of `stat`. */
async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const told = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, "utf8").catch(() => "0")));
  return told.reduce((total, line) => total + Number(line.split(" ")[0]), 0) / 1e6;
}
