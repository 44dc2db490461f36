import { once } from "node:events";
import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findFreePort, openWorkplace, type Program } from "./postgres/workplace.ts";

/** A PgBouncer of one's own. */
export interface PgBouncer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly pid: number;
  /** Connection URL with the password in clear; `pgbouncer` names its own console. Default: `postgres`. */
  url(database?: string): string;
  /** Stops it. Safe to call more than once. */
  stop(): Promise<void>;
}

/** The Postgres behind it: a server, or a wire laid to one, with the user's name and password. */
export interface PgBouncerTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

const stopTimeoutMs = 2_000;
const startTimeoutMs = 10_000;
const portAttempts = 5;

/** The path of the `pgbouncer` program, a Debian package; undefined where it is not installed. */
export function findPgBouncer(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, "pgbouncer")).find((path) => existsSync(path));
}

/**
 * Starts PgBouncer in transaction mode on 127.0.0.1 and a free port, for every database of the target. `settings` go into its
 * `[pgbouncer]` section. Throws when the program is not installed (ask `findPgBouncer` first), or does not start.
 */
export async function startPgBouncer(target: PgBouncerTarget, settings: Readonly<Record<string, string>> = {}): Promise<PgBouncer> {
  const path = findPgBouncer();
  if (path === undefined) throw new Error("pgbouncer is not installed: apt-get install pgbouncer");
  const workplace = await openWorkplace("warmline-pgbouncer-");
  try {
    const users = await workplace.writeSecret("users", `${quote(target.user)} ${quote(target.password)}\n`);
    const start = async (port: number) => {
      const lines = configure(target, { listen_port: String(port), auth_file: users, ...settings });
      return await workplace.run(path, [await workplace.writeSecret("pgbouncer.ini", `${lines.join("\n")}\n`)]);
    };
    for (let attempt = 1; attempt <= portAttempts; attempt += 1) {
      const port = await findFreePort();
      const program = await start(port);
      if (!(await isReady(program, port))) continue;
      let stopping: Promise<void> | undefined;
      return {
        host: "127.0.0.1",
        port,
        user: target.user,
        password: target.password,
        pid: program.pid,
        url: (database = "postgres") => {
          const credentials = `${encodeURIComponent(target.user)}:${encodeURIComponent(target.password)}`;
          return `postgresql://${credentials}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
        },
        stop() {
          // SIGTERM is PgBouncer's immediate shutdown; SIGINT would wait for its clients.
          stopping ??= program.end("SIGTERM", stopTimeoutMs).then(() => workplace.close());
          return stopping;
        },
      };
    }
    throw new Error(`PgBouncer did not start:\n${await workplace.readLog()}`);
  } catch (error) {
    await workplace.close();
    throw error;
  }
}

function configure(target: PgBouncerTarget, settings: Readonly<Record<string, string>>): readonly string[] {
  const all = {
    listen_addr: "127.0.0.1",
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    pool_mode: "transaction",
    admin_users: target.user,
    server_tls_sslmode: "disable",
    ...settings,
  };
  const section = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
  return ["[databases]", `* = host=${target.host} port=${target.port}`, "[pgbouncer]", ...section];
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

async function isReady(program: Program, port: number): Promise<boolean> {
  for (const giveUpAt = Date.now() + startTimeoutMs; Date.now() < giveUpAt && program.isRunning(); await delay(10)) {
    if (await accepts(port)) return program.isRunning();
  }
  await program.end("SIGTERM", stopTimeoutMs);
  return false;
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection({ host: "127.0.0.1", port });
  const accepted = await once(socket, "connect").then(
    () => true,
    () => false,
  );
  socket.destroy();
  return accepted;
}
