import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort } from "../support/postgres/workplace.ts";

/** The two bundlers of Next.js. */
export type Bundler = "turbopack" | "webpack";

/** A server of Next.js. */
export interface NextServer {
  readonly url: string;
  /** What it printed so far. */
  output(): string;
  stop(): Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

const STARTS_WITHIN_MS = 120_000;
const ENDS_WITHIN_MS = 5_000;
const PORT_ATTEMPTS = 5;

/** Builds for production. Rejects with what it printed when it fails, or takes longer than eight minutes. */
export async function buildNext(folder: string, bundler: Bundler, env: Variables = {}): Promise<string> {
  const { child, output } = run(folder, [...next(folder), "build", `--${bundler}`], env);
  const limit = setTimeout(() => end(child), 480_000);
  const [code] = await once(child, "exit");
  clearTimeout(limit);
  if (code !== 0) throw new Error(`next build failed:\n${output()}`);
  return output();
}

/** Starts what was built, or with a bundler the development server, and waits until it listens. */
export function startNext(folder: string, command: readonly string[], env: Variables = {}): Promise<NextServer> {
  return startSomewhere((port) => run(folder, [...next(folder), ...command, "--hostname", "127.0.0.1", "--port", String(port)], env));
}

/** Starts a script in a folder that was built as `standalone`, which listens at the HOSTNAME and PORT it is given, and waits until it does. */
export function startStandalone(folder: string, script: string, env: Variables): Promise<NextServer> {
  return startSomewhere((port) => run(folder, [script], { ...env, HOSTNAME: "127.0.0.1", PORT: String(port) }));
}

type Start = (port: number) => Started;

async function startSomewhere(start: Start): Promise<NextServer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOn(await findFreePort(), start);
    } catch (error) {
      // somebody was given the port meanwhile
      if (attempt === PORT_ATTEMPTS || !String(error).includes("EADDRINUSE")) throw error;
    }
  }
}

async function startOn(port: number, start: Start): Promise<NextServer> {
  const { child, output } = start(port);
  for (const giveUpAt = Date.now() + STARTS_WITHIN_MS; !output().includes("Ready in"); await delay(50)) {
    if (Date.now() < giveUpAt && child.exitCode === null && child.signalCode === null) continue;
    await end(child);
    throw new Error(`Next.js did not start:\n${output()}`);
  }
  return { url: `http://127.0.0.1:${port}`, output, stop: () => end(child) };
}

interface Started {
  readonly child: ChildProcess;
  readonly output: () => string;
}

function next(folder: string): readonly string[] {
  return [join(folder, "node_modules/next/dist/bin/next")];
}

/** Nothing of this process' environment but the path: a `DATABASE_URL` around here is none of the app's. */
function run(folder: string, args: readonly string[], env: Variables): Started {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? "", HOME: folder, NEXT_TELEMETRY_DISABLED: "1", CI: "true", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // a group of its own, for it starts workers that have to end with it
    detached: true,
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  return { child, output: () => printed };
}

async function end(child: ChildProcess): Promise<void> {
  const signal = (name: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // the group has ended
    }
  };
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, "exit");
    signal("SIGTERM");
    await Promise.race([ended, delay(ENDS_WITHIN_MS, undefined, { ref: false })]);
  }
  signal("SIGKILL");
}
