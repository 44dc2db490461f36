import { askInTime } from "../transports/asked-password.ts";
import { httpTransport } from "../transports/http.ts";
import { sendBy } from "../transports/http-body.ts";
import type { SendRequest } from "../transports/http-request.ts";
import type { ReadNetworkCode } from "../transports/network-failure.ts";
import type { Transport } from "../transports/transport.ts";
import { webSocketSessions } from "../transports/websocket.ts";
import type { TransportInput } from "./create.ts";
import { askPassword } from "./password.ts";

/** No more of an answer is read, 64 MiB. Source: Neon's documentation, the limit of its own. */
const MAX_BYTES = 67_108_864;

/** What a runtime has beyond `fetch`. */
export interface HttpParts {
  /** For runtimes whose failures have codes. */
  readonly readCode?: ReadNetworkCode;
  readonly send?: SendRequest;
  readonly release?: () => Promise<void>;
}

/** The HTTP transport of a plan, with its sessions over WebSocket. */
export function makeHttp(
  { settings, plan, address, clock, events }: TransportInput,
  { readCode, send = sendBy((url, request) => fetch(url, request)), release = async () => {} }: HttpParts = {},
): Transport {
  const { sqlUrl, sessionUrl } = plan.endpoint as NonNullable<typeof plan.endpoint>;
  const { host, port, user, database } = address;
  const { startupOptions, statementTimeoutMs } = settings;
  const startup = {
    application_name: settings.applicationName,
    ...(startupOptions !== null && { options: startupOptions }),
    // sent at login, so never to a target that takes nothing there
    ...(statementTimeoutMs !== null && plan.capabilities.startupParameters && { statement_timeout: statementTimeoutMs }),
  };
  const source = address.password?.reveal() ?? null;
  // as it is given, for only a function can give another one when the first is refused
  const password = typeof source === "function" ? () => askPassword(source) : source;
  const sessions = webSocketSessions({
    sessionUrl,
    login: { host, port, user, database, ...startup },
    password,
    connectTimeoutMs: settings.connectTimeoutMs,
    clock,
    readCode,
    events,
  });
  // a socket's folder and an IPv6 address have no place in it, and the endpoint needs neither
  const place = /[/:]/.test(host) ? "localhost" : host;
  const parameters = new URLSearchParams(startup as unknown as Record<string, string>);
  return httpTransport({
    sqlUrl,
    connectionUrl: `postgresql://${encodeURIComponent(user)}@${place}:${port}/${encodeURIComponent(database)}?${parameters}`,
    // the driver puts it into a URL, and leaves percent signs as they are
    password:
      password === null
        ? null
        : async ({ cancellation }) =>
            encodeURIComponent(
              typeof password === "string"
                ? password
                : await askInTime(password, { cancellation, limitMs: settings.connectTimeoutMs, clock }),
            ),
    passwordIsFunction: typeof password === "function",
    send,
    maxResponseBytes: settings.maxResponseBytes ?? MAX_BYTES,
    release,
    sessions,
    canOpen: plan.session === "websocket",
  });
}
