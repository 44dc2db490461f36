import type { PasswordSource } from "../decide/settings.ts";
import { passwordFailure } from "../transports/failure.ts";
import { httpTransport } from "../transports/http.ts";
import type { Transport } from "../transports/transport.ts";
import { webSocketSessions } from "../transports/websocket.ts";
import type { TransportInput } from "./create.ts";

/** The HTTP transport of a plan, with its sessions over WebSocket. */
export function makeHttp({ settings, plan, address, clock }: TransportInput): Transport {
  const endpoint = plan.endpoint as NonNullable<typeof plan.endpoint>;
  // sent at login, so never to a target that takes nothing there
  const statementTimeoutMs = plan.capabilities.startupParameters ? settings.statementTimeoutMs : null;
  const source = address.password?.reveal() ?? null;
  const password = passwordReader(source);
  const sessions = webSocketSessions({
    sessionUrl: endpoint.sessionUrl,
    host: address.host,
    port: address.port,
    database: address.database,
    user: address.user,
    // as it is given: only a function can give another one when the first is refused
    password: typeof source === "string" ? source : password,
    applicationName: settings.applicationName,
    startupOptions: settings.startupOptions,
    connectTimeoutMs: settings.connectTimeoutMs,
    statementTimeoutMs,
    clock,
  });
  const url = new URL("postgresql://host/");
  url.hostname = address.host.startsWith("/") ? "localhost" : address.host;
  url.port = String(address.port);
  url.username = encodeURIComponent(address.user);
  url.pathname = `/${encodeURIComponent(address.database)}`;
  url.searchParams.set("application_name", settings.applicationName);
  if (settings.startupOptions !== null) url.searchParams.set("options", settings.startupOptions);
  if (statementTimeoutMs !== null) url.searchParams.set("statement_timeout", String(statementTimeoutMs));
  return httpTransport({
    sqlUrl: endpoint.sqlUrl,
    connectionUrl: url.href,
    // the driver puts it into a URL, and leaves percent signs as they are
    password: password && (async () => encodeURIComponent(await password())),
    fetch: (input, init) => fetch(input, init),
    openSession: plan.session === "websocket" ? sessions.open : undefined,
    sessionStats: sessions.stats,
  });
}

/** A password as a function whose failure carries a code and the fate `not-sent`. */
export function passwordReader(source: PasswordSource | null): (() => Promise<string>) | null {
  if (source === null) return null;
  return async () => {
    if (typeof source === "string") return source;
    try {
      return await source();
    } catch (error) {
      throw passwordFailure(error);
    }
  };
}
