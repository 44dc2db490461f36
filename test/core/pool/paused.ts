import type { Database, DatabaseOptions } from "../../../src/entry/node.ts";
import { WarmPool, type WarmPoolOptions } from "../../../src/entry/pool.ts";
import { openPool, urlAt } from "../databases.ts";
import { pause } from "./passing-time.ts";

/** Where a pool connects to. */
interface Way {
  readonly port: number;
}

/** A database of one connection that has been used, a pause ago; `connectionId` is the one its next call finds. */
export async function openPaused(
  way: Way,
  options: DatabaseOptions = {},
): Promise<{ readonly db: Database; readonly connectionId: string | null }> {
  const db = openPool({ url: urlAt(way), max: 1, ...options });
  const { connectionId } = (await db.query("select 1")).via;
  pause();
  return { db, connectionId };
}

/** The same as a pool for code that is written for pg. */
export async function openPausedPool(way: Way, options: WarmPoolOptions = {}): Promise<WarmPool> {
  const pool = new WarmPool({ url: urlAt(way), max: 1, ...options });
  await pool.query("select 1");
  pause();
  return pool;
}
