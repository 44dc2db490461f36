import type pg from "pg";
import type { WireSession } from "../wire-session.ts";

/** What a pool knows of its connections beyond pg's own counts, whichever handle or copy of the package asks. */
export class Ledger {
  connects = 0;
  reuses = 0;
  discarded = 0;
  readonly sessions: WeakMap<pg.PoolClient, WireSession> = new WeakMap();
}
