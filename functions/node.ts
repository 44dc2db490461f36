import { realpathSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { ConfigError, createDatabase } from "warmline";
import { type AppOptions, createApp } from "./app.ts";
import { modulesOnDemand } from "./modules-on-demand.ts";
import { ownHostOnly } from "./own-host.ts";

/** How the application is served from a Node process. */
export interface ServeOptions extends Omit<AppOptions, "platform" | "modules" | "doorman"> {
  /** Address to listen on. Default 127.0.0.1; without a token no other than loopback is accepted, and no host name but this machine's own answered. */
  readonly host?: string | undefined;
  /** Default 8787; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Milliseconds `stop` waits for running requests before it cuts them off. Default 10000. */
  readonly drainMs?: number | undefined;
}

/** A server that is listening. */
export interface RunningApp {
  /** Where it answers, `http://127.0.0.1:8787`. */
  readonly url: string;
  /** Refuses new requests, lets the running ones finish, and resolves when the last is answered. The database stays open. */
  stop(): Promise<void>;
}

/** A server cannot be started as it was asked to. The message is one line that says what to change. */
export class ServeError extends Error {
  override readonly name = "ServeError";
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * Serves the demo API and resolves once it listens.
 *
 * @throws ServeError when the port is in use or not to be had, or the address is not loopback although there is no token.
 */
export async function serveApp(options: ServeOptions): Promise<RunningApp> {
  const { host = "127.0.0.1", port = 8787, drainMs = 10_000 } = options;
  if (!options.token && !loopback.test(host)) {
    throw new ServeError(`Refusing to listen on ${host} without a token, for anybody could write: set API_TOKEN, or leave HOST unset.`);
  }
  const doorman = options.token ? undefined : ownHostOnly;
  const app = createApp({ ...options, platform: "node", modules: modulesOnDemand, doorman });
  const server = createServer();
  const answer = getRequestListener(async (request, platform) => {
    const response = await app.fetch(request, platform);
    // A connection kept alive would hold up a server that is closing.
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

function stop(server: Server, drainMs: number): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(() => server.closeAllConnections(), drainMs);
    server.close(() => {
      clearTimeout(patience);
      resolve();
    });
  });
}

/** Serves with DATABASE_URL, API_TOKEN, HOST and PORT until SIGTERM or SIGINT; a second signal ends the process at once. */
async function main(): Promise<void> {
  const db = createDatabase();
  void db.plan; // Reading it judges DATABASE_URL now, not at the first request.
  const { API_TOKEN: token, HOST: host } = process.env;
  const app = await serveApp({ db, token: token || undefined, host: host || undefined, port: portFrom(process.env.PORT) });
  console.error(`Listening on ${app.url}${token ? "" : ", writes open to this machine, for API_TOKEN is not set"}.`);
  const end = async () => {
    process.off("SIGTERM", end).off("SIGINT", end);
    await app.stop();
    await db.close();
  };
  process.once("SIGTERM", end).once("SIGINT", end);
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
  });
}
