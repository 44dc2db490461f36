import type pg from "pg";
import type { WireSession } from "../wire-session.ts";
import type { Life } from "./freshness.ts";

/** What a pool knows of its connections beyond pg's own counts, whichever handle or copy of the package asks. */
export class Ledger {
  connects = 0;
  reuses = 0;
  discarded = 0;
  /** Connections asked whether they still answer. */
  probes = 0;
  /** When a connection was last found dead: what was used before may be, too. Milliseconds since the epoch. */
  suspectSince = 0;
  /** Whether the pool has been shown to an `onPool`: handles share it, and one that looks after it is enough. */
  shown = false;
  readonly lives: WeakMap<pg.PoolClient, Life> = new WeakMap();
  readonly sessions: WeakMap<pg.PoolClient, WireSession> = new WeakMap();
}
