import { ConnectionError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { askInTime } from "../transports/asked-password.ts";
import { httpTransport, type Sessions } from "../transports/http.ts";
import { sendBy } from "../transports/http-body.ts";
import { connectionStringWriter } from "../transports/http-headers.ts";
import type { SendRequest } from "../transports/http-request.ts";
import type { ReadNetworkCode } from "../transports/network-failure.ts";
import type { Transport } from "../transports/transport.ts";
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
    maxResponseBytes: settings.maxResponseBytes ?? MAX_BYTES,
    release,
    sessions: sessionsOnDemand(async () => {
      const { webSocketSessions } = await import("../transports/websocket.ts");
      return webSocketSessions({
        sessionUrl,
        login: { host, port, user, database, ...startup },
        password,
        connectTimeoutMs,
        clock,
        readCode,
        events,
      });
    }),
    canOpen: plan.session === "websocket",
  });
}

/** Sessions whose driver is loaded, and run, by the first: it is a multiple of all that a query needs. */
function sessionsOnDemand(load: () => Promise<Sessions>): Sessions {
  let loading: Promise<Sessions> | undefined;
  let loaded: Sessions | undefined;
  return {
    async open(use, call) {
      loading ??= load().catch((error: unknown) => {
        loading = undefined;
        throw notLoaded(error);
      });
      loaded = await loading;
      return loaded.open(use, call);
    },
    stats: () => loaded?.stats() ?? { connects: 0, discarded: 0 },
  };
}

function notLoaded(error: unknown): ConnectionError {
  return new ConnectionError(
    "The driver of sessions, @neondatabase/serverless, could not be loaded. Deploy every file that the bundler wrote, and the package where it is left outside.",
    { code: "DRIVER_MISSING", fate: "not-sent", cause: redactedCause(error) },
  );
}
