import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { DatabaseOptions } from "../../src/entry/node.ts";

/** The pools of an instance, and who keeps it awake for them. */
export interface InstanceOptions {
  readonly pools: readonly Pick<DatabaseOptions, "url" | "name" | "applicationName" | "idleTimeoutMs" | "min">[];
  readonly attach: "warmline" | "vercel" | "nobody";
}

/** Asks each pool of the list, one after the other, three times. */
export interface Request {
  readonly id: number;
  readonly pool: readonly number[];
  readonly over: "database" | "pool";
  /** When the platform ends it, from now on. */
  readonly deadlineMs?: number;
}

/** What an instance tells. `quiet`: no request is served, and nothing handed to `waitUntil` is pending. */
export type Answer =
  | { readonly what: "ready" }
  | { readonly what: "quiet" }
  | { readonly what: "served"; readonly id: number; readonly promises: number }
  | { readonly what: "failed"; readonly id: number; readonly message: string };

/** A process that serves requests, and that may be stopped once it is quiet. */
export interface Instance extends AsyncDisposable {
  /** Gives the number of promises that were handed to `waitUntil` before the answer. Rejects when the request fails. */
  request(options: Omit<Request, "id">): Promise<number>;
  /** Resolves when nothing keeps it awake; to be called while something does. */
  quiet(): Promise<void>;
  /** Stops it. Resolves when it stands still. */
  suspend(): Promise<void>;
  resume(): void;
}

/** Starts one. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const child = fork(fileURLToPath(new URL("./instance.ts", import.meta.url)), [JSON.stringify(options)], {
    env: { PATH: process.env.PATH, VERCEL: "1", VERCEL_URL: "shop.vercel.app", VERCEL_REGION: "fra1" },
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  let ids = 0;
  const served = new Map<number, PromiseWithResolvers<number>>();
  const ready = Promise.withResolvers<void>();
  let quiet = Promise.withResolvers<void>();
  child.on("message", (answer: Answer) => {
    if (answer.what === "ready") ready.resolve();
    else if (answer.what === "quiet") quiet.resolve();
    else if (answer.what === "served") served.get(answer.id)?.resolve(answer.promises);
    else served.get(answer.id)?.reject(new Error(answer.message));
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void exited.then(() => ready.reject(new Error("The instance ended before it was ready.")));
  await ready.promise;
  return {
    request(request) {
      const id = ids++;
      const answer = Promise.withResolvers<number>();
      served.set(id, answer);
      quiet = Promise.withResolvers();
      child.send({ ...request, id } satisfies Request);
      return answer.promise;
    },
    quiet: () => quiet.promise,
    async suspend() {
      child.kill("SIGSTOP");
      while (!(await standsStill(child.pid))) await delay(1);
    },
    resume: () => void child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** A signal takes effect a moment after it was sent. Elsewhere than on Linux there is no telling: it is believed. */
async function standsStill(pid: number | undefined): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")")).startsWith(") T");
}
