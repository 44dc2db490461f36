import { pemOf, trustedCertificates } from "../aws/tls.ts";
import { usesIam } from "../decide/auth.ts";
import type { Plan } from "../decide/plan.ts";
import { serversOf } from "../decide/servers.ts";
import type { Address, Settings } from "../decide/settings.ts";
import { type DetectedTarget, detectTarget } from "../decide/target.ts";
import { chooseTls } from "../decide/tls.ts";
import { passwordFailure } from "../transports/password-failure.ts";
import { madeOf } from "../transports/pool/pg-failure.ts";
import { processClock } from "../transports/pool/process-clock.ts";
import type { ServerLogin } from "../transports/pool/server-login.ts";
import type { WarmPoolConfig } from "../transports/pool/warm-pool-config.ts";
import type { TransportInput } from "./create.ts";
import { iamLogin } from "./iam-login.ts";
import { passwordFor } from "./password.ts";
import { processVariables } from "./process-variables.ts";

/** What a login is made of. */
type LoginInput = Pick<TransportInput, "settings" | "plan" | "address">;

/**
 * What says who one is, and how one is protected, at every server of an address. The driver sees fields, never a URL or an `sslmode`. `driver` is what
 * only pg knows, in its words.
 */
export function loginConfig({ settings, plan, address }: LoginInput, driver: Readonly<Record<string, unknown>>): WarmPoolConfig {
  const { database, user, others, targetSessionAttrs } = address;
  const tls = chooseTls(address);
  const target = address === settings.address ? { name: plan.target, capabilities: plan.capabilities } : detectTarget(address, null, null);
  const startup = plan.capabilities.startupParameters;
  const {
    ssl: own,
    fallback_application_name: _,
    ...words
  } = driver as { readonly ssl?: object; readonly fallback_application_name?: string };
  const servers = serversOf(address).map((server) => serverLogin(server, { target, plan, own }));
  const isOne = others.length === 0 && targetSessionAttrs === "any";
  return {
    ...servers[0],
    ...(!isOne && { servers: servers.map((server) => ({ ...server, targetSessionAttrs })) }),
    database,
    user,
    // which server it is shows behind the login
    earlyStatement: settings.earlyStatement && tls.mode === "verify" && !target.capabilities.pooled && isOne,
    application_name: settings.applicationName,
    ...(startup && startupOptions(settings)),
    ...(startup && settings.statementTimeoutMs !== null && { statement_timeout: settings.statementTimeoutMs }),
    freshness: { serverIdleMs: settings.idleSessionTimeoutMs ?? plan.capabilities.serverIdleMs, lifetimeMs: 0 },
    keepAlive: true,
    // a script that is done ends by itself; a server has its socket to live on
    allowExitOnIdle: true,
    ...words,
  } as WarmPoolConfig;
}

/** What is known of each server by its own. */
interface ServerContext {
  readonly target: Pick<DetectedTarget, "name" | "capabilities">;
  readonly plan: Plan;
  /** Options of Node's TLS that the caller gave. */
  readonly own: object | undefined;
}

/** What differs between the servers of one address: the place, how it is protected, and a token that is made for it. */
function serverLogin(address: Address, { target, plan, own }: ServerContext): ServerLogin {
  const { host, port, user, password, cert, key } = address;
  const tls = chooseTls(address);
  // asked for here, since importing it costs every cold start milliseconds
  const readFile = (path: string) => process.getBuiltinModule("node:fs").readFileSync(path, "utf8");
  const ca = trustedCertificates({
    target: target.name,
    onLambda: plan.runtime === "lambda" || plan.runtime === "lambda-managed",
    ca: tls.ca,
    readFile,
  });
  const iam = usesIam(address, target)
    ? iamLogin({
        service: target.name === "dsql" ? "dsql" : "rds-db",
        host,
        port,
        user,
        region: address.region,
        env: processVariables,
        now: processClock.now,
      })
    : undefined;
  return {
    host,
    port,
    password: iam?.token ?? passwordFor(password?.reveal() ?? null, (thrown) => madeOf(passwordFailure(thrown), thrown)),
    ...(iam && { onPasswordRefused: iam.refused }),
    ssl:
      tls.mode === "disable"
        ? false
        : {
            rejectUnauthorized: tls.mode === "verify",
            ...(ca !== null && { ca }),
            ...(cert !== null && key !== null && { cert: pemOf("cert", cert, readFile), key: pemOf("key", key.reveal(), readFile) }),
            ...own,
          },
    // always said, or pg reads a variable
    sslnegotiation: tls.mode === "disable" ? "postgres" : tls.negotiation,
    ...(tls.channelBinding && { enableChannelBinding: true }),
  } as ServerLogin;
}

function startupOptions({ startupOptions: own, idleSessionTimeoutMs }: Settings): { readonly options?: string } {
  const idle = idleSessionTimeoutMs === null ? null : `-c idle_session_timeout=${idleSessionTimeoutMs}`;
  const options = [own, idle].filter((option) => option !== null).join(" ");
  return options === "" ? {} : { options };
}
