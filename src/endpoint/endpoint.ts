import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ConfigError } from "../errors/errors.ts";
import { createTokenCheck } from "./bearer-token.ts";
import { type EndpointOptions, type EndpointSettings, readEndpointOptions } from "./endpoint-options.ts";
import { isFromThisMachine } from "./page-origin.ts";
import { apiError, RequestFailure } from "./request-failure.ts";
import { REQUEST_HEADER_NAMES } from "./request-headers.ts";
import { createServerPools } from "./server-pools.ts";
import { answerSql } from "./sql-request.ts";
import { bridgeWebSocket } from "./websocket-bridge.ts";

export type { EndpointOptions } from "./endpoint-options.ts";

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
  const mayAsk = ({ headers }: IncomingMessage) => settings.token !== undefined || isFromThisMachine(headers.origin);
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: settings.maxRequestBytes });
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
    if (!mayAsk(request)) return sendFailure(response, apiError(403, "Pages of other sites need a token. Start the endpoint with one."));
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

  const listener = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const sent = new Promise((resolve) => response.once("close", resolve));
    track(Promise.all([answer(request, response), sent]));
  });
  listener.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    if (!mayAsk(request)) return refuseUpgrade(socket, "403 Forbidden");
    if (!mayPass(request.headers.authorization)) return refuseUpgrade(socket, "401 Unauthorized");
    if (pathOf(request) !== "/v2") return refuseUpgrade(socket, "400 Bad Request");
    webSockets.handleUpgrade(request, socket, head, (webSocket: WebSocket) => track(bridgeWebSocket(webSocket, server)));
  });

  const port = await listen(listener, settings);
  const stop = async () => {
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const canceller of cancellers) canceller.abort();
    stopping.abort();
    for (const webSocket of webSockets.clients) webSocket.terminate();
    await Promise.all(running);
    await pools.close();
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

function pathOf(request: IncomingMessage): string {
  return request.url?.split("?", 1)[0] ?? "";
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

function refuseUpgrade(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
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
