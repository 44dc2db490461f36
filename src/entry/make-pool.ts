import { createHash } from "node:crypto";
import { trustedCertificates } from "../aws/tls.ts";
import { usesIam } from "../decide/auth.ts";
import type { Plan } from "../decide/plan.ts";
import type { Address, Settings } from "../decide/settings.ts";
import { detectTarget } from "../decide/target.ts";
import { chooseTls } from "../decide/tls.ts";
import { poolTransport } from "../transports/pool/pool.ts";
import { nextNumber } from "../transports/pool/registry.ts";
import { type PoolShare, sharePool } from "../transports/pool/shared-pool.ts";
import { sharedTransport } from "../transports/pool/shared-transport.ts";
import { WarmPool, type WarmPoolConfig } from "../transports/pool/warm-pool.ts";
import type { Transport } from "../transports/transport.ts";
import type { MakeTransport, TransportInput } from "./create.ts";
import { iamLogin } from "./iam-login.ts";
import { passwordFor } from "./password.ts";
import { pinningReport } from "./pinning-report.ts";

/** Makes the pool transports of one handle, over the pools the process shares. Where settings differ, those of the newest handle hold. */
export function poolMaker(): MakeTransport {
  const order = nextNumber();
  return (input) => makePool(input, order);
}

function makePool(input: TransportInput, order: number): Transport {
  const { plan, clock, warn, events } = input;
  const share = joinPool(input, order);
  const { audiences } = share.entry.current.pool.state;
  audiences.add(events);
  const tellPin = (reason: string) => {
    warn(reason);
    events.tell({ type: "pin", reason });
  };
  const onStatement = plan.target === "rds-proxy" && isDevelopment(plan) ? pinningReport(tellPin) : undefined;
  const release = () => share.release().finally(() => audiences.delete(events));
  return sharedTransport({ ...share, release }, ({ pool, traits }) => poolTransport({ pool, ...traits, clock, onStatement }));
}

/** A share of the one pool of these settings in the process. Without an `order`, one that is asked for again and again. */
export function joinPool({ settings, plan, address, warn }: Omit<TransportInput, "clock" | "events">, order?: number): PoolShare {
  const config = poolConfig(settings, plan, address);
  const { pooled, cancel, startupParameters } = plan.capabilities;
  return sharePool({
    identity: identityOf(settings, address),
    fingerprint: fingerprint(config, address),
    traits: { pooled, cancel, statementTimeoutMs: startupParameters ? null : settings.statementTimeoutMs },
    create: () => new WarmPool({ ...config, warn }),
    onPool: settings.onPool,
    ...(order !== undefined && { order }),
    warn,
  });
}

function identityOf({ name, address: main }: Settings, address: Address): string {
  if (name === null) return JSON.stringify([address.host, address.port, address.database, address.user]);
  // a direct connection to the same database is no change of its configuration
  return JSON.stringify(address === main ? [name] : [name, "direct"]);
}

/** Settings in pg's words. The driver sees fields, never a URL or an `sslmode`. */
export function poolConfig(settings: Settings, plan: Plan, address: Address): WarmPoolConfig {
  const { host, port, database, user, password } = address;
  const tls = chooseTls(address);
  const target = address === settings.address ? { name: plan.target, capabilities: plan.capabilities } : detectTarget(address, null, null);
  const ca = trustedCertificates({
    target: target.name,
    onLambda: plan.runtime === "lambda" || plan.runtime === "lambda-managed",
    ca: tls.ca,
    // asked for here, since importing it costs every cold start milliseconds
    readFile: (path) => process.getBuiltinModule("node:fs").readFileSync(path, "utf8"),
  });
  const iam = usesIam(address, target)
    ? iamLogin({ host, port, user, region: address.region, env: () => process.env, now: Date.now })
    : undefined;
  const startup = plan.capabilities.startupParameters;
  return {
    host,
    port,
    database,
    user,
    password: iam?.token ?? passwordFor(password?.reveal() ?? null),
    ...(iam && { onPasswordRefused: iam.refused }),
    ssl: tls.mode === "disable" ? false : { rejectUnauthorized: tls.mode === "verify", ...(ca !== null && { ca }) },
    ...(tls.mode !== "disable" && { sslnegotiation: tls.negotiation }),
    ...(tls.channelBinding && { enableChannelBinding: true }),
    application_name: settings.applicationName,
    ...(startup && startupOptions(settings)),
    ...(startup && settings.statementTimeoutMs !== null && { statement_timeout: settings.statementTimeoutMs }),
    max: plan.max,
    min: plan.min,
    idleTimeoutMillis: plan.idleTimeoutMs,
    freshness: { serverIdleMs: settings.idleSessionTimeoutMs ?? plan.capabilities.serverIdleMs, lifetimeMs: plan.lifetimeMs },
    acquireTimeoutMillis: settings.acquireTimeoutMs,
    connectTimeoutMillis: settings.connectTimeoutMs,
    maxWaiting: settings.maxWaiting,
    leakThresholdMillis: settings.leakThresholdMs,
    keepAlive: true,
    // a script that is done ends by itself; a server has its socket to live on
    allowExitOnIdle: true,
  } as WarmPoolConfig;
}

function startupOptions({ startupOptions: own, idleSessionTimeoutMs }: Settings): { readonly options?: string } {
  const idle = idleSessionTimeoutMs === null ? null : `-c idle_session_timeout=${idleSessionTimeoutMs}`;
  const options = [own, idle].filter((option) => option !== null).join(" ");
  return options === "" ? {} : { options };
}

/** Where someone reads the warnings, and nothing is frozen. */
function isDevelopment({ traits }: Plan): boolean {
  return !traits.freezes && process.env.NODE_ENV !== "production";
}

/** What tells one configuration from another. The password is in it as a hash; one that is a function counts as the same. */
function fingerprint({ password: _, ...config }: WarmPoolConfig, address: Address): string {
  const password = address.password?.reveal();
  return createHash("sha256")
    .update(JSON.stringify([config, typeof password, address.auth, address.region]))
    .update(typeof password === "string" ? password : "")
    .digest("hex");
}
