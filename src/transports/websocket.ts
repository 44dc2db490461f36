import type { Client, ClientConfig } from "@neondatabase/serverless";
import type { Audience } from "../observe/audience.ts";
import { placeOf, traceConnection } from "../observe/trace-connections.ts";
import { linkTo } from "../wire/link.ts";
import { askOnce } from "./asked-password.ts";
import { connectTimeout, loginFailure } from "./failure.ts";
import type { Sessions } from "./http.ts";
import type { ReadNetworkCode } from "./network-failure.ts";
import { passwordTimeout } from "./password-failure.ts";
import type { CallOptions, Clock } from "./transport.ts";
import type { WireClient } from "./wire-client.ts";
import { WireSession } from "./wire-session.ts";

/** What sessions over WebSocket are made of. */
export interface WebSocketOptions {
  /** The full address: `wss://…/v2`. */
  readonly sessionUrl: string;
  /** Sent at login, named as in pg. */
  readonly login: ClientConfig;
  readonly password: string | (() => Promise<string>) | null;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** Absent where the runtime's failures have no codes. */
  readonly readCode: ReadNetworkCode | undefined;
  /** Who is told of what happens to connections. */
  readonly events: Audience;
}

/** Opens a session per call over WebSocket, with Neon's client, and closes it when the call is done. */
export function webSocketSessions(options: WebSocketOptions, Driver: typeof Client): Sessions {
  const { sessionUrl, login, password, connectTimeoutMs, clock, readCode, events } = options;
  const { host: where, pathname, protocol } = new URL(sessionUrl);
  const passwordIsFunction = typeof password === "function";
  const place = placeOf(login, "http");
  const secrets = passwordIsFunction ? [] : [password ?? ""];
  let connects = 0;
  let discarded = 0;

  /** A client that is logged in: before, nothing has begun that could not be begun anew, whatever keeps it from being so. */
  async function connect({ cancellation }: CallOptions): Promise<Client> {
    // the driver was being loaded meanwhile
    if (cancellation.reason !== undefined) throw cancellation.reason("not-sent");
    const asked = typeof password === "function" ? askOnce(password) : undefined;
    const client = new Driver({ ...login, password: asked?.ask ?? (password as string | null) ?? "" });
    Object.assign(client.neonConfig, {
      wsProxy: () => where + pathname,
      useSecureWebSocket: protocol === "wss:",
      disableWarningInBrowsers: true,
    });
    const connection = client.connection as unknown as {
      once(event: "readyForQuery", listener: () => void): void;
      readonly stream: { readonly destroyed?: boolean; destroy(): void };
    };
    linkTo(client.connection);
    catchLogin(client);
    sendNothingMore(connection.stream);
    await new Promise<void>((resolve, reject) => {
      let isOpen = false;
      const stop = (error?: Error) => {
        clock.clearTimeout(timer);
        stopListening();
        if (!error) return resolve();
        // first: the destroyed stream reports a failure of its own
        reject(error);
        // what the function gives later is not sent any more
        asked?.giveUp(error);
        connection.stream.destroy();
      };
      const timer = clock.setTimeout(
        () => stop(isOpen && asked?.isWaiting() ? passwordTimeout(connectTimeoutMs) : connectTimeout(where, connectTimeoutMs)),
        connectTimeoutMs,
      );
      const stopListening = cancellation.onCancel(() => stop(cancellation.reason?.("not-sent")));
      const fail = (error?: Error | null) => error && stop(loginFailure(error, { where, secrets, passwordIsFunction }, readCode));
      client.connect(fail);
      client.on("error", fail);
      client.connection.once("connect", () => {
        isOpen = true;
        // one that did not exist yet could not be closed
        if (connection.stream.destroyed) connection.stream.destroy();
      });
      // only now: the driver's connect takes every listener for this event off
      connection.once("readyForQuery", () => stop());
    });
    return client;
  }

  return {
    async open(use, call) {
      const startedAt = performance.now();
      const { client, connectionId } = await traceConnection("connect", place, {
        work: async () => ({ client: await connect(call), connectionId: `w${++connects}` }),
        idOf: (opened) => opened.connectionId,
      });
      const wire = new WireSession(client as unknown as WireClient, { transport: "http", connectionId, pooled: true });
      const about = { transport: "http", connectionId } as const;
      if (events.size > 0) events.tell({ type: "connect", ...about, durationMs: performance.now() - startedAt });
      try {
        return await use(wire);
      } finally {
        if (wire.broken) {
          discarded++;
          if (events.size > 0) events.tell({ type: "discard", ...about, reason: wire.breach });
          wire.destroy();
          // a goodbye ends an open transaction, too
        } else client.end().catch(() => {});
      }
    },
    stats: () => ({ connects, discarded }),
  };
}

/** The driver writes in a timer of its own, and Workers throw there where the WebSocket has been closed meanwhile. */
function sendNothingMore(stream: { readonly ws?: { send: () => void } | null; destroy(): unknown }): void {
  const destroy = stream.destroy.bind(stream);
  stream.destroy = () => {
    if (stream.ws) stream.ws.send = () => {};
    return destroy();
  };
}

/** The driver's answer to SCRAM is an async listener, whose rejections nobody hears. */
function catchLogin(client: Client): void {
  const login = client as unknown as { _handleAuthSASLContinue(message: unknown): Promise<void> };
  const { connection } = client as unknown as { readonly connection: { emit(event: "error", error: unknown): boolean } };
  const answer = login._handleAuthSASLContinue;
  login._handleAuthSASLContinue = (message) =>
    answer.call(client, message).catch((error) => {
      connection.emit("error", error);
    });
}
