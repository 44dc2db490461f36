import type { PoolOptions } from "../decide/pg-options.ts";
import type { Plan } from "../decide/plan.ts";
import { handedIn } from "../decide/refuse.ts";
import type { Address, Settings } from "../decide/settings.ts";
import { kindOf } from "../errors/redact.ts";
import { poolTransport } from "../transports/pool/pool.ts";
import type { PoolTraits } from "../transports/pool/pool-traits.ts";
import { nextNumber } from "../transports/pool/registry.ts";
import type { RoomLimits } from "../transports/pool/room.ts";
import { type PoolShare, sharePool } from "../transports/pool/shared-room.ts";
import { sharedTransport } from "../transports/pool/shared-transport.ts";
import { WarmPool, type WarmPoolConfig } from "../transports/pool/warm-pool.ts";
import type { Transport } from "../transports/transport.ts";
import type { MakeTransport, TransportInput } from "./create.ts";
import { identityOf } from "./identity.ts";
import { pinningReport } from "./pinning-report.ts";
import { loginConfig } from "./pool-login.ts";
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
export interface PgWords extends Pick<PoolOptions, "driver" | "timeoutMs"> {
  /** What goes in the place of hooks among them. Default: those as they are. */
  readonly hooks?: object;
}

/** Nothing. */
const NO_WORDS: PgWords = { driver: {}, timeoutMs: undefined };

/** What a share of a pool is made of. */
export interface JoinInput extends Omit<TransportInput, "clock" | "events"> {
  readonly words?: PgWords;
}

/** A share of the one pool of this identity in the process. Without an `order`, for handles that are made again and again. */
export function joinPool({ settings, plan, address, warn, words = NO_WORDS }: JoinInput, order?: number): PoolShare {
  const login = loginConfig({ settings, plan, address }, words.driver);
  const { host, port, database, user } = address;
  const traits = traitsOf(settings, plan, words);
  return sharePool({
    room: JSON.stringify([settings.name, host, port, database, user, ...placesIn(address)]),
    identity: identityOf({ login, traits, address, driver: words.driver }),
    limits: limitsOf(settings, plan, words),
    create(room) {
      const pool = new WarmPool({ ...login, ...words.hooks, room, traits, warn }).setMaxListeners(0);
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
    asksAhead: target !== "supavisor-transaction",
    named: prepare && namedStatements,
    // who counts the uses of a connection has one at a time
    pipelined: pipelining && capabilities.pipelining && driver.maxUses === undefined,
    known: target !== "postgres",
    statementTimeoutMs: startupParameters ? null : statementTimeoutMs,
  };
}

/** Settings in pg's words, of a pool that shares with nobody. */
export function poolConfig(settings: Settings, plan: Plan, words: PgWords): WarmPoolConfig {
  const login = loginConfig({ settings, plan, address: settings.address }, words.driver);
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

/** Where someone reads the warnings, and nothing is frozen. */
function isDevelopment({ traits }: Plan): boolean {
  return !traits.freezes && processVariables().NODE_ENV !== "production";
}
