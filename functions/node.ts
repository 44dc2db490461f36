import cluster from "node:cluster";
import { realpathSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { ConfigError, createDatabase } from "warmline";
import { type AppOptions, createApp } from "./app.ts";
import { modulesOnDemand } from "./modules-on-demand.ts";
import { ownHostOnly } from "./own-host.ts";
import { freePort, joinProcesses, ownShare, processesFrom, startProcesses } from "./processes.ts";
import { ServeError } from "./serve-error.ts";

export { ServeError } from "./serve-error.ts";

/** How the application is served from a Node process. */
export interface ServeOptions extends Omit<AppOptions, "platform" | "modules" | "doorman"> {
  /** Address to listen on. Default 127.0.0.1; without a token no other than loopback is accepted, and no host name but this machine's own answered. */
  readonly host?: string | undefined;
  /** Default 8787; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Milliseconds `stop` waits for running requests, and for connections that are kept, before it cuts them off. Default 10000. */
  readonly drainMs?: number | undefined;
}

/** A server that is listening. */
export interface RunningApp {
  /** Where it answers, `http://127.0.0.1:8787`. */
  readonly url: string;
  /**
   * Refuses new connections, answers what runs and what still comes on those there are, and resolves when the last is closed: where one is kept and
   * idle, some 5 s later. The database stays open.
   */
  stop(): Promise<void>;
}

const DEFAULT_HOST = "127.0.0.1";

/** Longest the database is waited for, in milliseconds, after the last request. */
const GOODBYE_MS = 2_000;

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Serves the demo API and resolves once it listens.
 *
 * @throws ServeError when the port is in use or not to be had, or the address is not loopback although there is no token.
 */
export async function serveApp(options: ServeOptions): Promise<RunningApp> {
  const { host = DEFAULT_HOST, port = 8787, drainMs = 10_000 } = options;
  if (!options.token && !loopback.test(host)) {
    throw new ServeError(`Refusing to listen on ${host} without a token, for anybody could write: set API_TOKEN, or leave HOST unset.`);
  }
  const doorman = options.token ? undefined : ownHostOnly;
  const app = createApp({ ...options, platform: "node", modules: modulesOnDemand, doorman });
  const server = createServer();
  const answer = getRequestListener(async (request, platform) => {
    const response = await app.fetch(request, platform);
    // its caller asks the next one elsewhere
    if (!server.listening) response.headers.set("Connection", "close");
    return response;
  });
  server.on("request", (incoming, outgoing) => void answer(incoming, outgoing));
  await listen(server, host, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    stop: () => stop(server, drainMs),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "is in use" : `cannot be had (${error.code})`;
      reject(new ServeError(`Port ${port} of ${host} ${reason}: set PORT to another, or end what listens there.`));
    });
    server.listen(port, host, resolve);
  });
}

/**
 * Of a connection that is kept and idle nobody here knows whether a request is on its way on it. So none is ended but by an answer that says so, or
 * when the time is over that its caller was told with the last one (`Keep-Alive: timeout=5`): HTTP's own `close` would end them at once.
 */
function stop(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), drainMs);
    NetServer.prototype.close.call(server, () => {
      clearTimeout(patience);
      resolve();
    });
  });
}

/**
 * Serves with DATABASE_URL, API_TOKEN, HOST and PORT until SIGTERM or SIGINT; a second signal ends the process at once. With PROCESSES set to
 * more than 1, as many processes answer on the one port and share the connections that one of them would hold.
 */
async function main(): Promise<void> {
  const { API_TOKEN, HOST, PORT, PROCESSES } = process.env;
  const max = ownShare(process.env);
  const db = createDatabase({ max });
  const plan = db.plan; // Reading it judges DATABASE_URL now, not at the first request.
  const count = processesFrom(PROCESSES);
  const [token, host, port] = [API_TOKEN || undefined, HOST || undefined, portFrom(PORT)];
  const writes = token ? "" : ", writes open to this machine, for API_TOKEN is not set";
  if (count > 1 && cluster.isPrimary) {
    const env = port === 0 ? { PORT: `${await freePort(host ?? DEFAULT_HOST)}` } : undefined;
    const processes = await startProcesses({ count, connections: plan.max, env, say: (line) => console.error(line) });
    if (processes === null) {
      process.exitCode = 1;
      return;
    }
    const among = plan.max === 0 ? "" : `, ${plan.max} connections among them`;
    onSignal(() => processes.stop());
    console.error(`Listening on ${processes.url}, ${count} processes${among}${writes}.`);
    return;
  }
  const app = await serveApp({ db, token, host, port });
  const end = async () => {
    await app.stop();
    // a statement that hangs was cut off with its request: nobody waits for it any more
    setTimeout(() => process.exit(), GOODBYE_MS).unref();
    await db.close();
  };
  if (cluster.isWorker) {
    joinProcesses(app.url, end);
  } else {
    onSignal(end);
    console.error(`Listening on ${app.url}${writes}.`);
  }
}

/** Calls `end` on the first signal, and lets the second end the process at once. */
function onSignal(end: () => Promise<void>): void {
  const first = () => {
    process.off("SIGTERM", first).off("SIGINT", first);
    void end();
  };
  process.once("SIGTERM", first).once("SIGINT", first);
}

function portFrom(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new ServeError("PORT is not a port number: set it to 0 to 65535.");
  return Number(text);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    if (!(error instanceof ServeError || error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
    if (cluster.isWorker) process.disconnect();
  });
}
