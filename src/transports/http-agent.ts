import { setImmediate as nextTick } from "node:timers/promises";
import { buildConnector, Pool } from "undici";
import { postOver } from "./http-post.ts";
import type { SendRequest } from "./http-request.ts";
import type { TransportStats } from "./transport.ts";

/** Most connections to one endpoint. HTTP/2 shares one among a hundred requests. */
const MAX_CONNECTIONS = 50;

/** A connection idle for so long is closed: load balancers close theirs after 60 s (AWS ALB) and later. */
const KEEP_ALIVE_MS = 30_000;

/** What was used so recently has not been through a freeze. */
const TRUST_MS = 1_000;

/** Which endpoint, and what is known of the place this runs in. */
export interface AgentOptions {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly connectTimeoutMs: number;
  /** Whether time stops between requests: what the other end did meanwhile may be seen only after the next write. */
  readonly freezes: boolean;
  /** The wall clock, milliseconds since the epoch. */
  readonly now: () => number;
}

/** A share of the connections to one endpoint. */
export interface Agent {
  readonly send: SendRequest;
  /** How many there are now, and how many requests wait for one. */
  readonly stats: () => Pick<TransportStats, "total" | "idle" | "waiting">;
  /** Gives the share up; the last one ends the connections. */
  readonly release: () => Promise<void>;
}

interface Shared {
  pool: Pool;
  openedAt: number;
  usedAt: number;
  handles: number;
}

const place = Symbol.for("warmline.agents.v1");

/** The agents of this process: bundlers and reloads evaluate modules more than once, `globalThis` they share. */
function agents(): Map<string, Shared> {
  const home = globalThis as { [place]?: Map<string, Shared> };
  home[place] ??= new Map();
  return home[place];
}

/**
 * Connections to an endpoint that are kept open and shared by all databases of the process which post there. They keep no process alive.
 * After a pause they are looked at, or left behind: which, the wall clock decides, for timers stand still in a frozen environment.
 */
export function shareAgent(options: AgentOptions): Agent {
  const { freezes, now } = options;
  const key = JSON.stringify([options.origin, options.connectTimeoutMs, freezes]);
  const shared = agents().get(key) ?? open(options);
  agents().set(key, shared);
  shared.handles++;

  /** A connection that is too old to be trusted may swallow a request, or be gone: it is not asked, for a POST is no question. */
  function isStale(idleMs: number): boolean {
    // within a burst some connections are idle for longer than their pool
    const ageMs = freezes ? now() - shared.openedAt : 0;
    return idleMs < 0 || idleMs >= (freezes ? TRUST_MS : KEEP_ALIVE_MS) || ageMs >= KEEP_ALIVE_MS;
  }

  let released = false;
  return {
    async send(url, request) {
      const idleMs = now() - shared.usedAt;
      if (isStale(idleMs)) replace(shared, options);
      else if (idleMs >= TRUST_MS) {
        // what has arrived at an idle socket is seen: from within an I/O callback one turn of the event loop is not enough
        await nextTick();
        await nextTick();
      }
      shared.usedAt = now();
      try {
        return await postOver(shared.pool, url, request);
      } finally {
        shared.usedAt = now();
      }
    },
    stats() {
      const { connected: total, free: idle, queued: waiting } = shared.pool.stats;
      return { total, idle, waiting };
    },
    async release() {
      if (released) return;
      released = true;
      if (--shared.handles > 0) return;
      agents().delete(key);
      await shared.pool.destroy();
    },
  };
}

function open(options: AgentOptions): Shared {
  const openedAt = options.now();
  const shared = { openedAt, usedAt: openedAt, handles: 0 } as Shared;
  shared.pool = openPool(shared, options);
  return shared;
}

/** Lets what is on its way end on the old connections, and opens others for what comes. */
function replace(shared: Shared, options: AgentOptions): void {
  shared.pool.close().catch(() => {});
  shared.pool = openPool(shared, options);
  shared.openedAt = options.now();
}

function openPool(shared: Shared, options: AgentOptions): Pool {
  const connect = buildConnector({ timeout: options.connectTimeoutMs, allowH2: true });
  let multiplexed = false;
  const pool = new Pool(options.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // a server that promises more is not what closes the connection
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // the call's own deadline ends it, by its signal: a limit of the agent's would be a query timeout nobody set
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: true,
    connect(peer, connected) {
      connect(peer, (...[error, socket]) => {
        if (error !== null) return connected(error, null);
        multiplexed = "alpnProtocol" in socket && socket.alpnProtocol === "h2";
        connected(null, socket);
      });
    },
  });
  // after GOAWAY undici lets new requests wait for those that still run
  pool.on("disconnect", () => {
    if (multiplexed && shared.pool === pool && !pool.destroyed) replace(shared, options);
  });
  return pool;
}
