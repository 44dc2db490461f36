import { askInTime } from "../transports/asked-password.ts";
import { httpTransport } from "../transports/http.ts";
import { sendBy } from "../transports/http-body.ts";
import type { StatusReader } from "../transports/http-failure.ts";
import { connectionStringWriter } from "../transports/http-headers.ts";
import type { SendRequest } from "../transports/http-request.ts";
import type { ReadNetworkCode } from "../transports/network-failure.ts";
import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import type { MakeSessions } from "./make-sessions.ts";
import { askPassword } from "./password.ts";

/** No more of an answer is read, 64 MiB. Source: Neon's documentation, the limit of its own. */
const MAX_BYTES = 67_108_864;

/** What a runtime has beyond `fetch`. */
export interface HttpParts {
  readonly statusReader: StatusReader;
  /** For runtimes whose failures have codes. */
  readonly readCode?: ReadNetworkCode;
  readonly send?: SendRequest;
  /** Without it there are none. */
  readonly openSessions?: MakeSessions;
  readonly release?: () => Promise<void>;
}

/** The HTTP transport of a plan. */
export function makeHttp(
  { settings, plan, address, clock, events }: TransportInput,
  { statusReader, readCode, openSessions, send = sendBy((url, request) => fetch(url, request)), release = async () => {} }: HttpParts,
): Transport {
  const { sqlUrl, sessionUrl } = plan.endpoint as NonNullable<typeof plan.endpoint>;
  const { host, port, user, database } = address;
  const { startupOptions, statementTimeoutMs, connectTimeoutMs } = settings;
  const startup = {
    application_name: settings.applicationName,
    ...(startupOptions !== null && { options: startupOptions }),
    // sent at login, so never to a target that takes nothing there
    ...(statementTimeoutMs !== null && plan.capabilities.startupParameters && { statement_timeout: statementTimeoutMs }),
  };
  const source = address.password?.reveal() ?? null;
  // as it is given, for only a function can give another one when the first is refused
  const password = typeof source === "function" ? () => askPassword(source) : source;
  const write = connectionStringWriter({ host, port, user, database, startup: startup as unknown as Record<string, string> });
  const written = typeof password === "function" ? undefined : write(password);
  return httpTransport({
    sqlUrl,
    connectionString: ({ cancellation }) =>
      written ?? askInTime(password as () => Promise<string>, { cancellation, limitMs: connectTimeoutMs, clock }).then(write),
    passwordIsFunction: typeof password === "function",
    send,
    statusReader,
    maxResponseBytes: settings.maxResponseBytes ?? MAX_BYTES,
    release,
    sessions: openSessions?.({
      sessionUrl,
      login: { host, port, user, database, ...startup },
      password,
      connectTimeoutMs,
      clock,
      readCode,
      events,
    }),
    canOpen: plan.session === "websocket",
  });
}
