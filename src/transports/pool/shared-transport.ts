import type { Transport } from "../transport.ts";
import type { PoolTransport } from "./pool.ts";
import type { CurrentPool, PoolShare } from "./shared-pool.ts";

/**
 * A transport over the pool that is the current one of its identity when a call begins. What has begun on a pool that is replaced meanwhile
 * ends there.
 */
export function sharedTransport({ entry, release }: PoolShare, over: (current: CurrentPool) => PoolTransport): Transport {
  let { current } = entry;
  let made = over(current);
  const transport = () => {
    if (entry.current !== current) {
      current = entry.current;
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
    [Symbol.asyncDispose]: release,
  };
}
