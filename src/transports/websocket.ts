import { Client, type ClientConfig } from "@neondatabase/serverless";
import type { WarmlineError } from "../errors/errors.ts";
import { isErrorResponse } from "./exchange.ts";
import { connectTimeout, loginFailure } from "./failure.ts";
import type { Sessions } from "./http.ts";
import type { ReadNetworkCode } from "./network-failure.ts";
import type { CallOptions, Clock } from "./transport.ts";
import { type WireClient, WireSession } from "./wire-session.ts";

/** What sessions over WebSocket are made of. */
export interface WebSocketOptions {
  /** The full address: `wss://…/v2`. */
  readonly sessionUrl: string;
  /** Sent at login, named as in pg. */
  readonly login: ClientConfig;
  readonly password: string | (() => string | Promise<string>) | null;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
  /** Absent where the runtime's failures have no codes. */
  readonly readCode: ReadNetworkCode | undefined;
}

/** Opens a session per call over WebSocket, with Neon's client, and closes it when the call is done. */
export function webSocketSessions(options: WebSocketOptions): Sessions {
  let connects = 0;
  let discarded = 0;
  return {
    async open(use, call) {
      const { wire, client } = await connect(options, call, `w${++connects}`);
      try {
        return await use(wire);
      } finally {
        if (wire.broken) {
          discarded++;
          wire.destroy();
          // a goodbye ends an open transaction, too
        } else client.end().catch(() => {});
      }
    },
    stats: () => ({ connects, discarded }),
  };
}

interface OpenedSession {
  readonly wire: WireSession;
  readonly client: Client;
}

async function connect(options: WebSocketOptions, { cancellation }: CallOptions, connectionId: string): Promise<OpenedSession> {
  const { sessionUrl, clock, password } = options;
  const { host: where, pathname, protocol } = new URL(sessionUrl);
  const passwordIsFunction = typeof password === "function";
  const secrets = typeof password === "string" ? [password] : [];
  const explain = (failure: unknown): WarmlineError => loginFailure(failure, { where, secrets, passwordIsFunction }, options.readCode);
  const client = new Client({ ...options.login, password: password ?? "" });
  Object.assign(client.neonConfig, {
    wsProxy: () => where + pathname,
    useSecureWebSocket: protocol === "wss:",
    disableWarningInBrowsers: true,
  });
  let loggedIn = false;
  const connection = client.connection as unknown as WireClient["connection"];
  await new Promise<void>((resolve, reject) => {
    const stop = (error?: Error | null) => {
      clock.clearTimeout(timer);
      stopListening();
      if (!error) return resolve();
      // first: the destroyed stream reports a failure of its own
      reject(error);
      connection.stream.destroy();
    };
    const timer = clock.setTimeout(() => stop(connectTimeout(where, options.connectTimeoutMs)), options.connectTimeoutMs);
    let stopListening = () => {};
    stopListening = cancellation.onCancel(() => stop(cancellation.reason?.("not-sent")));
    // the driver sends the password before it is asked for one, and has connected then; a login refused later can only be repeated with what a
    // function gives next if nothing has begun
    client.connect((error?: Error | null) => (error || !passwordIsFunction) && stop(error && explain(error)));
    client.on("error", (error) => loggedIn || stop(explain(error)));
    // only now: the driver's connect takes every listener for this event off
    connection.once("readyForQuery", () => {
      loggedIn = true;
      stop();
    });
  });
  const wire = new WireSession(client as unknown as WireClient, {
    transport: "http",
    connectionId,
    pooled: true,
    // a password that is a string and the first statement are sent together: a login refused late has still run nothing
    explain: (failure) => (!loggedIn && isErrorResponse(failure) ? explain(failure) : undefined),
  });
  return { wire, client };
}
