import type { Transport } from "../transport.ts";
import type { PoolTransport } from "./pool.ts";
import type { PoolShare } from "./shared-room.ts";
import type { WarmPool } from "./warm-pool.ts";

/** A transport over a handle's share: over the pool of the moment when a call begins. */
export function sharedTransport(share: PoolShare, over: (pool: WarmPool) => PoolTransport): Transport {
  let { pool } = share;
  let made = over(pool);
  const transport = () => {
    const current = share.pool;
    if (current !== pool) {
      pool = current;
      made = over(current);
    }
    return made;
  };
  return {
    name: "pool",
    get can() {
      return transport().can;
    },
    query: (statement, call) => transport().query(statement, call),
    batch: (statements, call) => transport().batch(statements, call),
    session: (use, call) => transport().session(use, call),
    warmUp: (call) => transport().warmUp(call),
    release: () => transport().release(),
    stats: () => transport().stats(),
    [Symbol.asyncDispose]: share.release,
  };
}
