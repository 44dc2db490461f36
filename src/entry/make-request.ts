import { serversOf } from "../decide/servers.ts";
import type { Address } from "../decide/settings.ts";
import { chooseTls } from "../decide/tls.ts";
import type { WarmClientConfig } from "../transports/pool/warm-client.ts";
import { type RequestTransportOptions, requestTransport } from "../transports/request/request.ts";
import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import type { HyperdriveBinding } from "./hyperdrive-binding.ts";
import { passwordFor } from "./password.ts";

/** What the platform adds to the settings of the request transport. */
export interface RequestParts extends Pick<RequestTransportOptions, "scopes" | "waitUntil" | "onUnscoped"> {
  /** The binding past Hyperdrive's cache. Throws where none was named. */
  readonly uncached: () => HyperdriveBinding;
}

/** The request transport of a plan. */
export function makeRequest(
  { settings, plan, address, clock, events, driver }: TransportInput,
  { uncached, ...parts }: RequestParts,
): Transport {
  const { startupParameters, namedStatements, pipelining, pooled, cancel } = plan.capabilities;
  const { host, port, database, user, password, others, targetSessionAttrs } = address;
  const isEncrypted = (server: Address) => chooseTls(server).mode !== "disable";
  const tls = isEncrypted(address);
  const isOne = others.length === 0 && targetSessionAttrs === "any";
  const config: WarmClientConfig = {
    host,
    port,
    database,
    user,
    password: passwordFor(password?.reveal() ?? null),
    // the runtime's own trust: it takes no other
    ssl: tls,
    // which server it is shows behind the login
    earlyStatement: settings.earlyStatement && tls && !pooled && isOne,
    application_name: settings.applicationName,
    ...(startupParameters && settings.startupOptions !== null && { options: settings.startupOptions }),
    ...(startupParameters && settings.statementTimeoutMs !== null && { statement_timeout: settings.statementTimeoutMs }),
    connectTimeoutMillis: settings.connectTimeoutMs,
    ...driver,
  };
  const past = (): WarmClientConfig => {
    const { host, port, user, password, database } = uncached();
    return { ...config, host, port: Number(port), user, password, database };
  };
  const servers = serversOf(address).map((server) => ({
    host: server.host,
    port: server.port,
    ssl: isEncrypted(server),
    targetSessionAttrs,
  }));
  return requestTransport({
    ...parts,
    config,
    servers: isOne ? undefined : servers,
    uncached: plan.target === "hyperdrive" ? past : null,
    max: plan.max,
    acquireTimeoutMs: settings.acquireTimeoutMs,
    maxWaiting: settings.maxWaiting,
    pooled,
    cancel,
    named: settings.prepare && namedStatements,
    pipelined: settings.pipelining && pipelining,
    known: plan.target !== "postgres",
    statementTimeoutMs: startupParameters ? null : settings.statementTimeoutMs,
    clock,
    events,
  });
}
