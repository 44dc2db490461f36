import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { ConfigError } from "../errors/errors.ts";
import { createTokenCheck } from "./bearer-token.ts";
import { type EndpointOptions, type EndpointSettings, readEndpointOptions } from "./endpoint-options.ts";
import { apiError, RequestFailure } from "./request-failure.ts";
import { REQUEST_HEADER_NAMES } from "./request-headers.ts";
import { createServerPools } from "./server-pools.ts";
import { answerSql } from "./sql-request.ts";
import { isFromThisMachine, pathOf } from "./this-machine.ts";
import { createTunnel, refuseUpgrade } from "./tunnel.ts";

export type { EndpointOptions } from "./endpoint-options.ts";
export { isFromThisMachine } from "./this-machine.ts";

/** A running endpoint. */
export interface Endpoint {
  /** `http://host:port`, without a path: Neon's driver posts to `<url>/sql` and opens WebSockets at `<url>/v2`. */
  readonly url: string;
  readonly port: number;
  /** How many `POST /sql` have come in, whatever became of them. */
  readonly requests: number;
  /** Cancels what is running, closes every connection on both sides and stops listening. May be called more than once. */
  stop(): Promise<void>;
}

/** A client's idle connection is kept this long, beyond the 60 s that load balancers and pools keep theirs. */
const KEEP_ALIVE_MS = 65_000;
/** A request's head has to come within this time, however busily its client sends, and the whole of it within the next. */
const HEAD_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** How often node looks for requests that are over their time. */
const CHECK_EVERY_MS = 1_000;
/** How long a stop waits for clients to take their answers. */
const STOP_MS = 1_000;

const NOT_OF_THIS_MACHINE =
  "Only names of this machine, such as localhost, and pages on them are answered. Start the endpoint with a token for others.";

/**
 * Starts Neon's SQL over HTTP (`POST /sql`) and its WebSocket tunnel (`/v2`) in front of any Postgres, for development and tests. User,
 * password and database come from each request, as with Neon. Rejects with a ConfigError when an option is wrong or the port cannot be had.
 */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const settings = readEndpointOptions(options);
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const server = { ...settings.address, stopping: stopping.signal };
  const pools = createServerPools(server);
  const mayPass = createTokenCheck(settings.token);
  const mayAsk = (request: IncomingMessage) => settings.token !== undefined || isFromThisMachine(request);
  const tunnel = createTunnel(server, settings.maxRequestBytes);
  const cancellers = new Set<AbortController>();
  const running = new Set<Promise<unknown>>();
  let stopped: Promise<void> | undefined;
  let requests = 0;

  const track = (work: Promise<unknown>) => {
    running.add(work);
    void work.finally(() => running.delete(work));
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request);
    if (!mayAsk(request)) return sendFailure(response, apiError(403, NOT_OF_THIS_MACHINE));
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (request.method === "OPTIONS" && path === "/sql") return send(response, 200, preflightHeaders(), "");
    if (stopped !== undefined) return sendFailure(response, apiError(503, "Shutting down"));
    if (!mayPass(request.headers.authorization)) return sendFailure(response, apiError(401, "Unauthorized"));
    if (request.method !== "POST" || path !== "/sql") return send(response, 400, {}, JSON.stringify("query is not supported"));
    requests += 1;
    const canceller = new AbortController();
    cancellers.add(canceller);
    response.once("close", () => canceller.abort());
    try {
      const { maxRequestBytes, maxResponseBytes } = settings;
      const { headers, body } = await answerSql(request, { pools, maxRequestBytes, maxResponseBytes, signal: canceller.signal });
      send(response, 200, headers, body);
    } catch (error) {
      sendFailure(response, error instanceof RequestFailure ? error : apiError(500, "Internal error"));
    } finally {
      cancellers.delete(canceller);
    }
  };

  const timeouts = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_EVERY_MS,
  };
  const listener = createServer(timeouts, (request, response) => {
    const sent = new Promise((resolve) => response.once("close", resolve));
    track(Promise.all([answer(request, response), sent]));
  });
  listener.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (!mayAsk(request)) return refuseUpgrade(socket, "403 Forbidden");
    if (!mayPass(request.headers.authorization)) return refuseUpgrade(socket, "401 Unauthorized");
    if (pathOf(request) !== "/v2") return refuseUpgrade(socket, "400 Bad Request");
    tunnel.accept(request, socket, head);
  });

  const port = await listen(listener, settings);
  const stop = async () => {
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const canceller of cancellers) canceller.abort();
    stopping.abort();
    const cut = setTimeout(() => listener.closeAllConnections(), STOP_MS);
    await Promise.all([tunnel.close(), pools.close(), ...running]);
    clearTimeout(cut);
    listener.closeAllConnections();
    await closed;
  };
  return {
    url: `http://${settings.host.includes(":") ? `[${settings.host}]` : settings.host}:${port}`,
    port,
    get requests() {
      return requests;
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
  };
}

function preflightHeaders(): Record<string, string> {
  return {
    Allow: "OPTIONS, POST",
    "Access-Control-Allow-Methods": "OPTIONS, POST",
    "Access-Control-Allow-Headers": REQUEST_HEADER_NAMES,
    "Access-Control-Max-Age": "86400",
  };
}

function sendFailure(response: ServerResponse, failure: RequestFailure): void {
  send(response, failure.status, {}, JSON.stringify(failure.body));
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: string): void {
  response.writeHead(status, {
    ...(body === "" ? {} : { "Content-Type": "application/json" }),
    "Content-Length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

function listen(server: Server, { host, port }: EndpointSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason =
        error.code === "EADDRINUSE" ? "is in use. Choose another, or 0 for any free one" : `cannot be listened on (${error.code})`;
      reject(
        new ConfigError(`Port ${port} ${reason}.`, {
          code: error.code === "EADDRINUSE" ? "PORT_IN_USE" : "INVALID_SETTING",
          setting: "port",
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
