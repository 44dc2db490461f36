import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { ConfigError } from "../errors/errors.ts";
import { createTokenCheck } from "./bearer-token.ts";
import { type EndpointFailure, type EndpointRequestEvent, tellerOf } from "./endpoint-events.ts";
import { type EndpointOptions, type EndpointSettings, readEndpointOptions } from "./endpoint-options.ts";
import { apiError, RequestFailure } from "./request-failure.ts";
import { REQUEST_HEADER_NAMES } from "./request-headers.ts";
import { placeOf } from "./server-address.ts";
import { createServerPools } from "./server-pools.ts";
import { answerSql } from "./sql-request.ts";
import { startPage } from "./start-page.ts";
import { isFromThisMachine, pathOf } from "./this-machine.ts";
import { createTunnel, refuseUpgrade } from "./tunnel.ts";

export type {
  EndpointConnectEvent,
  EndpointEvent,
  EndpointFailure,
  EndpointListener,
  EndpointRequestEvent,
} from "./endpoint-events.ts";
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

const ownPaths = ["/", "/sql", "/v2"] as const;
/** A `Host` that can stand in a line of code as it is. */
const SHOWN_HOST = /^[\w.:[\]-]+$/;
const NOT_SUPPORTED = "query is not supported";
const NOT_OF_THIS_MACHINE =
  "Only names of this machine, such as localhost, and pages on them are answered. Start the endpoint with a token for others.";

/**
 * Starts Neon's SQL over HTTP (`POST /sql`) and its WebSocket tunnel (`/v2`) in front of any Postgres, for development and tests. User,
 * password and database come from each request, as with Neon. It prints nothing: `onEvent` is told what happens. Rejects with a ConfigError
 * when an option is wrong or the port cannot be had.
 */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  return serveEndpoint(readEndpointOptions(options));
}

/** The same, with options that were read before. Rejects with a ConfigError when the port cannot be had. */
export async function serveEndpoint(settings: EndpointSettings): Promise<Endpoint> {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const tell = tellerOf(settings.onEvent);
  const server = { ...settings.address, stopping: stopping.signal, tell };
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

  const tellEnd = (request: IncomingMessage, startedAt: number, outcome: Pick<EndpointRequestEvent, "transport" | "status" | "failure">) =>
    tell({
      type: "request",
      ...outcome,
      method: request.method ?? "",
      path: ownPaths.find((path) => path === pathOf(request)) ?? null,
      durationMs: performance.now() - startedAt,
    });

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<EndpointFailure | null> => {
    const path = pathOf(request);
    if (!mayAsk(request)) return sendFailure(response, apiError(403, NOT_OF_THIS_MACHINE));
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (request.method === "OPTIONS" && path === "/sql") return send(response, 200, preflightHeaders(), "");
    if (stopped !== undefined) return sendFailure(response, apiError(503, "Shutting down"));
    if (!mayPass(request.headers.authorization)) return sendFailure(response, apiError(401, "Unauthorized"));
    if (path === "/" && (request.method === "GET" || request.method === "HEAD")) {
      const { host = "" } = request.headers;
      // whoever asks by way of a port or name of a tunnel's or container's needs that one
      const { headers, body } = startPage(SHOWN_HOST.test(host) ? `http://${host}` : url, request.headers.accept);
      return send(response, 200, headers, body);
    }
    if (request.method !== "POST" || path !== "/sql") {
      send(response, 400, {}, JSON.stringify(NOT_SUPPORTED));
      return { sqlState: null, reason: NOT_SUPPORTED };
    }
    requests += 1;
    const canceller = new AbortController();
    cancellers.add(canceller);
    response.once("close", () => canceller.abort());
    try {
      const { maxRequestBytes, maxResponseBytes } = settings;
      const { headers, body } = await answerSql(request, { pools, maxRequestBytes, maxResponseBytes, signal: canceller.signal });
      return send(response, 200, headers, body);
    } catch (error) {
      return sendFailure(response, error instanceof RequestFailure ? error : apiError(500, "Internal error"));
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
    const startedAt = performance.now();
    const sent = new Promise((resolve) => response.once("close", resolve));
    const answered = answer(request, response).then((failure) =>
      tellEnd(request, startedAt, { transport: "http", status: response.statusCode, failure }),
    );
    track(Promise.all([answered, sent]));
  });
  listener.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    const refuse = (status: number, words: string, reason: string) => {
      refuseUpgrade(socket, `${status} ${words}`);
      tellEnd(request, performance.now(), { transport: "websocket", status, failure: { sqlState: null, reason } });
    };
    if (!mayAsk(request)) return refuse(403, "Forbidden", NOT_OF_THIS_MACHINE);
    if (!mayPass(request.headers.authorization)) return refuse(401, "Unauthorized", "Unauthorized");
    if (pathOf(request) !== "/v2") return refuse(400, "Bad Request", NOT_SUPPORTED);
    tunnel.accept(request, socket, head);
  });

  const port = await listen(listener, settings);
  const url = `http://${placeOf({ host: settings.host, port })}`;
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
    url,
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

function sendFailure(response: ServerResponse, { status, body, failure }: RequestFailure): EndpointFailure {
  send(response, status, {}, JSON.stringify(body));
  return failure;
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: string): null {
  response.writeHead(status, {
    ...(body === "" ? {} : { "Content-Type": "application/json" }),
    "Content-Length": Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
  return null;
}

function listen(server: Server, { host, port, names }: EndpointSettings): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const another = `Choose another${names.port === undefined ? "" : ` with ${names.port}`}, or 0 for any free one`;
      const reason = error.code === "EADDRINUSE" ? `is in use. ${another}` : `cannot be listened on (${error.code})`;
      reject(
        new ConfigError(`Port ${port} ${reason}.`, {
          code: error.code === "EADDRINUSE" ? "PORT_IN_USE" : "INVALID_SETTING",
          setting: names.port ?? "port",
        }),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
