import type pg from "pg";
import type { FreshnessLimits } from "./freshness.ts";
import type { PoolTraits } from "./pool-traits.ts";
import type { Room } from "./room.ts";
import type { ServerLogin } from "./server-login.ts";

/** pg's pool options, with waiting and connecting bounded apart, and what is known of a connection's life. */
export interface WarmPoolConfig extends Omit<pg.PoolConfig, "Client"> {
  /** Bounds waiting for a free connection, milliseconds; 0 for no bound. Default 5000. */
  readonly acquireTimeoutMillis?: number;
  /** Bounds opening a connection, login included, milliseconds; 0 for no bound. Default 5000. */
  readonly connectTimeoutMillis?: number;
  /** Most who may wait for a connection. Default 10000. */
  readonly maxWaiting?: number;
  /** Reports a connection held for longer, milliseconds. Default: never. */
  readonly leakThresholdMillis?: number | null;
  /** Told of what somebody should look at: a leak, a queue that does not become empty. Default: nobody. */
  readonly warn?: (message: string) => void;
  /** Told what the password function gave, when the server refused it at login (28000, 28P01). */
  readonly onPasswordRefused?: (password: string) => void;
  /** The servers that are tried for each connection, in order, with what differs between them. Default: the one of the other options. */
  readonly servers?: readonly ServerLogin[] | undefined;
  /** The room its connections take up, where it is shared; then the limits are the room's. Default: a room of its own. */
  readonly room?: Room;
  /** What is known of the other end, and what may be done there. Default: as behind a pooler of which nothing is known. */
  readonly traits?: PoolTraits;
  /** When a connection is replaced without being asked. Default: never. */
  readonly freshness?: FreshnessLimits;
  /** The wall clock and chance. Default: the process'. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/** Bounds waiting and connecting where nothing is said, milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5_000;
/** Bounds the queue where nothing is said. */
export const DEFAULT_MAX_WAITING = 10_000;
