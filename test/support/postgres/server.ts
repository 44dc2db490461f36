import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findPostgresBinaries, type PostgresBinaries } from "./binaries.ts";
import { findFreePort, isRoot, openWorkplace, type Program, type Workplace } from "./workplace.ts";

/** A Postgres server of one's own, for development and tests. */
export interface PostgresServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: "postgres";
  readonly password: string;
  /** Process id of the server itself (the postmaster); another one after `resume`. */
  readonly pid: number;
  /** Path of the PEM file of the authority that signed the server's certificate; undefined without `tls`. */
  readonly ca: string | undefined;
  /** Connection URL with the password in clear; the database is `postgres` unless named. */
  url(database?: string): string;
  /** Shuts the server down, which tells every session 57P01, and keeps its data and its port for `resume`. */
  halt(): Promise<void>;
  /** Starts it again after `halt`; resolves when it takes logins. Throws with the end of its log when it does not start. */
  resume(): Promise<void>;
  /** Stops the server and removes its data. Safe to call more than once, and after the server ended by itself. */
  stop(): Promise<void>;
}

/** What a server may be asked for. */
export interface PostgresOptions {
  /** Server settings by their names in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Serve TLS as well, with the test certificate for localhost and 127.0.0.1. Default: false. */
  readonly tls?: boolean;
}

const tlsFolder = fileURLToPath(new URL("../tls/", import.meta.url));
const portAttempts = 5;
const startTimeoutMs = 30_000;
const stopTimeoutMs = 5_000;

/**
 * Starts a fresh cluster on 127.0.0.1 and a free port, with SCRAM passwords, UTF-8, code point collation and UTC.
 * Run as root it drops to `nobody`. It does not keep this process alive, and however this process ends, server and data go with it.
 * Nothing survives a crash of the machine: `fsync` is off. Throws with the end of the server's log when it does not start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = await findPostgresBinaries(isRoot());
  const workplace = await openWorkplace("warmline-pg-");
  try {
    const password = randomBytes(18).toString("base64url");
    await initialize(workplace, binaries, password);
    const tlsSettings = options.tls ? await installCertificate(workplace) : {};
    const settings = { ...tlsSettings, ...options.settings };
    let server: Program;
    const started = await startServer(workplace, binaries, settings);
    const { port } = started;
    server = started.server;
    let stopping: Promise<void> | undefined;
    // SIGINT is Postgres' fast shutdown: every session is told 57P01.
    const halt = () => server.end("SIGINT", stopTimeoutMs);
    return {
      host: "127.0.0.1",
      port,
      user: "postgres",
      password,
      get pid() {
        return server.pid;
      },
      ca: options.tls ? join(tlsFolder, "ca.pem") : undefined,
      url: (database = "postgres") => `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
      halt,
      async resume() {
        server = await runServer(workplace, binaries, { settings, port });
        if (!(await isReady(server, join(workplace.folder, "data")))) {
          throw new Error(`Postgres did not start again:\n${await workplace.readLog()}`);
        }
      },
      stop() {
        stopping ??= halt().then(() => workplace.close());
        return stopping;
      },
    };
  } catch (error) {
    await workplace.close();
    throw error;
  }
}

async function initialize(workplace: Workplace, binaries: PostgresBinaries, password: string): Promise<void> {
  const passwordFile = await workplace.writeSecret("password", password);
  const args = ["-D", join(workplace.folder, "data"), "-U", "postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256", "--no-sync"];
  // The builtin provider needs no locale of the operating system and sorts the same everywhere.
  args.push("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8");
  const initdb = await workplace.run(binaries.initdb, args);
  if ((await initdb.exit()) !== 0) throw new Error(`initdb failed:\n${await workplace.readLog()}`);
}

async function installCertificate(workplace: Workplace): Promise<Record<string, string>> {
  return {
    ssl: "on",
    ssl_cert_file: await workplace.copySecret("server.pem", join(tlsFolder, "server.pem")),
    ssl_key_file: await workplace.copySecret("server-key.pem", join(tlsFolder, "server-key.pem")),
    // asks clients for a certificate, and takes those without one
    ssl_ca_file: await workplace.copySecret("client-ca.pem", join(tlsFolder, "client-ca.pem")),
  };
}

async function startServer(
  workplace: Workplace,
  binaries: PostgresBinaries,
  chosen: Readonly<Record<string, string>>,
): Promise<{ readonly server: Program; readonly port: number }> {
  const data = join(workplace.folder, "data");
  for (let attempt = 1; attempt <= portAttempts; attempt += 1) {
    const port = await findFreePort();
    const server = await runServer(workplace, binaries, { settings: chosen, port });
    if (await isReady(server, data)) return { server, port };
    await server.end("SIGQUIT", stopTimeoutMs);
  }
  throw new Error(`Postgres did not start:\n${await workplace.readLog()}`);
}

function runServer(
  workplace: Workplace,
  { postgres }: PostgresBinaries,
  { settings, port }: { readonly settings: Readonly<Record<string, string>>; readonly port: number },
): Promise<Program> {
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off", full_page_writes: "off", ...settings };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return workplace.run(postgres, ["-D", join(workplace.folder, "data"), "-p", String(port), ...flags]);
}

/** The eighth line of postmaster.pid is the server's state, which pg_ctl reads in the same way. */
async function isReady(server: Program, data: string): Promise<boolean> {
  for (const giveUpAt = Date.now() + startTimeoutMs; Date.now() < giveUpAt && server.isRunning(); await delay(10)) {
    const text = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
    const lines = text.split("\n");
    if (lines[0] === String(server.pid) && lines[7]?.trim() === "ready") return true;
  }
  return false;
}
