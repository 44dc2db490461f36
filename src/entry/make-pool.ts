import { pemOf, trustedCertificates } from "../aws/tls.ts";
import { usesIam } from "../decide/auth.ts";
import type { PoolOptions } from "../decide/pg-options.ts";
import type { Plan } from "../decide/plan.ts";
import { handedIn } from "../decide/refuse.ts";
import { serversOf } from "../decide/servers.ts";
import type { Address, Settings } from "../decide/settings.ts";
import { type DetectedTarget, detectTarget } from "../decide/target.ts";
import { chooseTls } from "../decide/tls.ts";
import { kindOf } from "../errors/redact.ts";
import { passwordFailure } from "../transports/password-failure.ts";
import { madeOf } from "../transports/pool/pg-failure.ts";
import { poolTransport } from "../transports/pool/pool.ts";
import type { PoolTraits } from "../transports/pool/pool-traits.ts";
import { processClock } from "../transports/pool/process-clock.ts";
import { nextNumber } from "../transports/pool/registry.ts";
import type { RoomLimits } from "../transports/pool/room.ts";
import type { ServerLogin } from "../transports/pool/server-login.ts";
import { type PoolShare, sharePool } from "../transports/pool/shared-room.ts";
import { sharedTransport } from "../transports/pool/shared-transport.ts";
import { WarmPool, type WarmPoolConfig } from "../transports/pool/warm-pool.ts";
import type { Transport } from "../transports/transport.ts";
import type { MakeTransport, TransportInput } from "./create.ts";
import { iamLogin } from "./iam-login.ts";
import { identityOf } from "./identity.ts";
import { passwordFor } from "./password.ts";
import { pinningReport } from "./pinning-report.ts";
import { processVariables } from "./process-variables.ts";

/** Makes the pool transports of one handle, over connections that the process shares. Where limits differ, those of the newest handle hold. */
export function poolMaker(): MakeTransport {
  const order = nextNumber();
  return (input) => makePool(input, order);
}

function makePool(input: TransportInput, order: number): Transport {
  const { settings, plan, clock, events } = input;
  const share = joinPool(input, order);
  const { audiences } = share.pool.state;
  audiences.add(events);
  const traits = traitsOf(settings, plan);
  const leaving: PoolShare = {
    get pool() {
      return share.pool;
    },
    release: () => share.release().finally(() => audiences.delete(events)),
  };
  return sharedTransport(leaving, (pool) => poolTransport({ pool, ...traits, clock }));
}

/** What only pg knows, of those who speak to it in its words. */
export type PgWords = Pick<PoolOptions, "driver" | "timeoutMs">;

/** Nothing. */
const NO_WORDS: PgWords = { driver: {}, timeoutMs: undefined };

/** What a share of a pool is made of. */
export interface JoinInput extends Omit<TransportInput, "clock" | "events"> {
  readonly words?: PgWords;
}

/** A share of the one pool of this identity in the process. Without an `order`, for handles that are made again and again. */
export function joinPool({ settings, plan, address, warn, words = NO_WORDS }: JoinInput, order?: number): PoolShare {
  const login = loginConfig(settings, plan, address, words);
  const { host, port, database, user } = address;
  const traits = traitsOf(settings, plan, words);
  return sharePool({
    room: JSON.stringify([settings.name, host, port, database, user, ...placesIn(address)]),
    identity: identityOf(login, traits, address, words.driver),
    limits: limitsOf(settings, plan, words),
    create(room) {
      const pool = new WarmPool({ ...login, room, traits, warn }).setMaxListeners(0);
      if (plan.capabilities.pins && isDevelopment(plan)) watchPins(pool, warn);
      return pool;
    },
    onPool: showing(settings, warn),
    ...(order !== undefined && { order }),
    warn,
  });
}

/** What tells rooms apart besides, where connections may lead to several servers. */
function placesIn({ others, targetSessionAttrs }: Address): readonly unknown[] {
  return others.length > 0 ? [others, targetSessionAttrs] : [];
}

/** Tells of what pins a connection to its backend, whoever sends it. */
function watchPins({ state }: WarmPool, warn: (message: string) => void): void {
  state.onStatement = pinningReport((reason) => {
    warn(reason);
    state.tell(() => ({ type: "pin", reason }));
  });
}

/** Shows a pool to the caller's `onPool`: what it throws fails the call, and what it rejects with later is told once. */
export function showing({ onPool }: Settings, warn: (message: string) => void): ((pool: WarmPool) => void) | null {
  if (onPool === null) return null;
  return (pool) => {
    const answer: unknown = handedIn("onPool", () => onPool(pool));
    Promise.resolve(answer).catch((error) => warn(`onPool rejected with ${kindOf(error)}.`));
  };
}

function traitsOf(
  { statementTimeoutMs, prepare, pipelining }: Settings,
  { capabilities, target }: Plan,
  { driver }: PgWords = NO_WORDS,
): PoolTraits {
  const { pooled, cancel, sessionState, startupParameters, namedStatements } = capabilities;
  return {
    pooled,
    cancel,
    sessionState,
    named: prepare && namedStatements,
    // who counts the uses of a connection has one at a time
    pipelined: pipelining && capabilities.pipelining && driver.maxUses === undefined,
    known: target !== "postgres",
    statementTimeoutMs: startupParameters ? null : statementTimeoutMs,
  };
}

/** Settings in pg's words, of a pool that shares with nobody. */
export function poolConfig(settings: Settings, plan: Plan, words: PgWords): WarmPoolConfig {
  const login = loginConfig(settings, plan, settings.address, words);
  const limits = limitsOf(settings, plan, words);
  return {
    ...login,
    // to be seen in the pool's options, as everything
    ...(words.timeoutMs !== undefined && { connectionTimeoutMillis: words.timeoutMs }),
    traits: traitsOf(settings, plan, words),
    max: limits.max,
    min: limits.min,
    idleTimeoutMillis: limits.idleTimeoutMs,
    freshness: { serverIdleMs: login.freshness?.serverIdleMs ?? null, lifetimeMs: limits.lifetimeMs },
    acquireTimeoutMillis: limits.acquireTimeoutMs,
    connectTimeoutMillis: limits.connectTimeoutMs,
    maxWaiting: limits.maxWaiting,
    leakThresholdMillis: limits.leakThresholdMs,
  };
}

/** What says how much, and not who. */
function limitsOf(settings: Settings, plan: Plan, { driver, timeoutMs }: PgWords): RoomLimits {
  const { acquireTimeoutMs, connectTimeoutMs, maxWaiting, leakThresholdMs } = settings;
  const { max, min, idleTimeoutMs } = plan;
  return {
    max,
    min,
    idleTimeoutMs,
    // pg counts the seconds itself
    lifetimeMs: driver.maxLifetimeSeconds === undefined ? plan.lifetimeMs : 0,
    acquireTimeoutMs: timeoutMs ?? acquireTimeoutMs,
    connectTimeoutMs: timeoutMs ?? connectTimeoutMs,
    maxWaiting,
    leakThresholdMs,
  };
}

/** What says who one is, and how one is protected. The driver sees fields, never a URL or an `sslmode`. */
function loginConfig(settings: Settings, plan: Plan, address: Address, { driver }: PgWords): WarmPoolConfig {
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

/** Where someone reads the warnings, and nothing is frozen. */
function isDevelopment({ traits }: Plan): boolean {
  return !traits.freezes && processVariables().NODE_ENV !== "production";
}
