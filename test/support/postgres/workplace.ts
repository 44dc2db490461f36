import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdtemp, open, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isOpenToOthers } from "./binaries.ts";

/** A running program of a workplace. */
export interface Program {
  readonly pid: number;
  isRunning(): boolean;
  /** Its exit code, once it ended; null when a signal ended it. */
  exit(): Promise<number | null>;
  /** Ends it with `signal`, and with SIGKILL if it is still there after `patienceMs`. Does nothing when it has ended. */
  end(signal: NodeJS.Signals, patienceMs: number): Promise<void>;
}

/**
 * A temporary folder and the programs that work in it, both gone as soon as this process is, however that ends.
 * Run as root, folder and programs belong to `nobody`, since neither Postgres nor PgBouncer runs as root.
 */
export interface Workplace {
  readonly folder: string;
  /** Writes a file only the programs can read; gives its path. */
  writeSecret(name: string, text: string): Promise<string>;
  /** Copies a file so that only the programs can read it; gives its path. */
  copySecret(name: string, from: string): Promise<string>;
  /** Starts a program in the folder; what it prints goes to the log. Throws when it cannot be started. */
  run(path: string, args: readonly string[]): Promise<Program>;
  /** The last 2,000 characters of the log. */
  readLog(): Promise<string>;
  /** Ends what still runs and removes the folder. */
  close(): Promise<void>;
}

/** Opens a workplace in the system's temporary directory. It does not keep this process alive. */
export async function openWorkplace(prefix: string): Promise<Workplace> {
  const account = isRoot() ? findNobody() : undefined;
  const parent = account === undefined || (await isOpenToOthers(tmpdir())) ? tmpdir() : "/tmp";
  const folder = await mkdtemp(join(parent, prefix));
  const watchdog = startWatchdog(folder);
  const log = join(folder, "log");

  const give = async (path: string) => {
    if (account !== undefined) await chown(path, account.uid, account.gid);
    return path;
  };
  const writeSecret = async (name: string, text: string | Buffer) => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return await give(path);
  };
  try {
    await give(folder);
  } catch (error) {
    await watchdog.end();
    throw error;
  }
  return {
    folder,
    writeSecret,
    copySecret: async (name, from) => await writeSecret(name, await readFile(from)),
    async run(path, args) {
      const output = await open(log, "a");
      try {
        // A session of its own keeps the terminal's Ctrl-C, meant for the starter, away from the program.
        const stdio = ["ignore", output.fd, output.fd] as const;
        const child = spawn(path, args, { stdio: [...stdio], detached: true, cwd: folder, env: cleanEnvironment(), ...account });
        await once(child, "spawn");
        child.unref();
        return watch(child, watchdog);
      } finally {
        await output.close();
      }
    },
    readLog: async () => (await readFile(log, "utf8").catch(() => "")).slice(-2_000),
    close: () => watchdog.end(),
  };
}

/** A port of 127.0.0.1 that was free a moment ago: be ready to try another. */
export async function findFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("No free port on 127.0.0.1.");
  return address.port;
}

/** Tells whether this process runs as root, so that its programs must not. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function findNobody(): { readonly uid: number; readonly gid: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

interface Watchdog {
  tell(line: string): void;
  end(): Promise<void>;
}

function startWatchdog(folder: string): Watchdog {
  const script = fileURLToPath(new URL("./watchdog.ts", import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ["pipe", "ignore", "ignore"], detached: true, env: cleanEnvironment() });
  const ended = once(child, "exit");
  // Without this a watchdog that was itself killed would end this process with EPIPE.
  child.stdin.on("error", () => {});
  child.unref();
  return {
    tell: (line) => child.stdin.write(`${line}\n`),
    async end() {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}

function watch(child: ChildProcess, watchdog: Watchdog): Program {
  const { pid } = child;
  if (pid === undefined) throw new Error("The program has no process id: it did not start.");
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  watchdog.tell(`+${pid}`);
  child.once("exit", () => watchdog.tell(`-${pid}`));
  const exit = async () => {
    child.ref();
    if (isRunning()) await once(child, "exit");
    return child.exitCode;
  };
  return {
    pid,
    isRunning,
    exit,
    async end(signal, patienceMs) {
      if (isRunning()) child.kill(signal);
      const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
      await exit();
      clearTimeout(timer);
    },
  };
}

/** Neither PG* variables nor the machine's locale and time zone reach the programs. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|NODE_|VITEST)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: "C", TZ: "UTC" };
}
