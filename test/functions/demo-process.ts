import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** `node functions/node.ts` as a process of its own. */
export interface DemoProcess {
  readonly child: ChildProcess;
  /** Where it listens; rejects with what it wrote when it ends before that. */
  readonly url: Promise<string>;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Starts it with these variables and no others of the tests' own environment but the PATH, by Node at `program`. */
export function startDemoProcess(env: Readonly<Record<string, string>>, program: string = process.execPath): DemoProcess {
  const child = spawn(program, ["--import", path("./warmline-from-source.ts"), path("../../functions/node.ts")], {
    env: { PATH: process.env.PATH, PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const url = Promise.withResolvers<string>();
  url.promise.catch(() => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    const told = /Listening on (http:\S+\d)/.exec(stderr)?.[1];
    if (told !== undefined) url.resolve(told);
  });
  const ended = once(child, "close").then(([code]) => {
    url.reject(new Error(`the demo ended before it listened: ${stderr}`));
    return { code: code as number | null, stdout, stderr };
  });
  return { child, url: url.promise, ended };
}
