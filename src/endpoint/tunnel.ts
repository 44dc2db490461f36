import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { EndpointFailure } from "./endpoint-events.ts";
import { GOODBYE_MS } from "./say-goodbye.ts";
import type { ServerAccess } from "./server-address.ts";
import { createSessionPlaces } from "./session-places.ts";
import { bridgeWebSocket } from "./websocket-bridge.ts";

/** Most WebSockets that are not logged in yet: twice as many as there can be sessions. */
const MAX_LOGGING_IN = 128;

/** The status of a server that goes down: a client that leaves at the same time meets no error. Source: RFC 6455, 7.4.1. */
const GOING_AWAY = 1001;

/** The WebSockets of one endpoint. */
export interface Tunnel {
  /** Takes over a socket that asked for an upgrade, or refuses it with 503 where too many have not logged in. Tells how its login went. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Ends all of them, and resolves when they and their connections to the server are closed. Who does not answer is cut off after a second. */
  close(): Promise<void>;
}

/** Opens the tunnel to `server`. */
export function createTunnel(server: ServerAccess, maxPayload: number): Tunnel {
  // closeTimeout is not in the types of ws yet
  const options = { noServer: true, maxPayload, closeTimeout: GOODBYE_MS };
  const webSockets = new WebSocketServer(options);
  const access = { ...server, places: createSessionPlaces() };
  const running = new Set<Promise<void>>();
  const loggingIn = new Set<WebSocket>();

  const carry = (webSocket: WebSocket, startedAt: number) => {
    loggingIn.add(webSocket);
    const onLogin = (failure: EndpointFailure | null) => {
      loggingIn.delete(webSocket);
      const durationMs = performance.now() - startedAt;
      server.tell?.({ type: "request", transport: "websocket", method: "GET", path: "/v2", status: 101, durationMs, failure });
    };
    const work = bridgeWebSocket(webSocket, access, onLogin).finally(() => {
      loggingIn.delete(webSocket);
      running.delete(work);
    });
    running.add(work);
  };

  return {
    accept(request, socket, head) {
      const startedAt = performance.now();
      if (server.stopping.aborted || loggingIn.size >= MAX_LOGGING_IN) {
        const failure = { sqlState: null, reason: "too many WebSockets are not logged in, or the endpoint is stopping" };
        server.tell?.({ type: "request", transport: "websocket", method: "GET", path: "/v2", status: 503, durationMs: 0, failure });
        return refuseUpgrade(socket, "503 Service Unavailable");
      }
      webSockets.handleUpgrade(request, socket, head, (webSocket) => carry(webSocket, startedAt));
    },
    async close() {
      for (const webSocket of webSockets.clients) webSocket.close(GOING_AWAY, "Shutting down");
      await Promise.all(running);
    },
  };
}

/** Answers an upgrade with a status, and cuts it off when its client keeps its end open: node watches over a socket no longer after an upgrade. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.resume();
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  const timer = setTimeout(() => socket.destroy(), GOODBYE_MS);
  socket.once("close", () => clearTimeout(timer));
}
