import type { HeldPool } from "../entry/node.ts";
import { processClock } from "../transports/pool/process-clock.ts";

/**
 * What Vercel's runtime tells of the request that is served.
 * Source: `@vercel/functions` 3.9, which reads the same symbol for `waitUntil` and `getDeadline`.
 */
interface RequestContext {
  waitUntil?(promise: Promise<unknown>): void;
  /** When the platform ends the request, as a date in text. */
  readonly deadline?: string;
}

const place = Symbol.for("@vercel/request-context");

/** How long the pool's own idle timer, and its goodbye to the server, may take once they are due, milliseconds. */
const GOODBYE_MS = 100;

/** How long before the platform ends a request its connections are ended, milliseconds. */
const RESERVE_MS = 1_000;

/** A request that keeps the instance awake for a pool. */
interface Stay {
  /** The request gave another connection back: its time begins anew. */
  prolong(): void;
}

/**
 * Keeps an instance awake until the connections of a pool have been idle for their limit and are closed, so that none is left behind when
 * the instance is suspended. Each request waits for each pool it used, by one promise in its `waitUntil`; a request's deadline ends the
 * wait, and the idle connections, a second early. Outside of Vercel's requests, and for a pool without an idle limit, it does nothing.
 *
 * @example const db = createDatabase({ onPool: attachPool });
 */
export function attachPool(pool: HeldPool): void {
  const stays = new WeakMap<RequestContext, Stay>();
  let latest: RequestContext | undefined;

  function begin(context: RequestContext, idleMs: number): Stay | undefined {
    const { promise, resolve } = Promise.withResolvers<void>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => {
      stays.delete(context);
      // what another request used after this one is that request's to wait for
      if (latest === context) pool.endIdle().then(resolve, resolve);
      else resolve();
    };
    try {
      context.waitUntil?.(promise);
    } catch {
      // the request is over, and keeps nothing awake
      return undefined;
    }
    const stay: Stay = {
      prolong() {
        clearTimeout(timer);
        timer = setTimeout(end, Math.min(idleMs + GOODBYE_MS, timeLeft(context)));
      },
    };
    stays.set(context, stay);
    return stay;
  }

  pool.on("release", (error) => {
    const idleMs = pool.options.idleTimeoutMillis ?? 0;
    const context = currentRequest();
    if (error || idleMs === 0 || context?.waitUntil === undefined) return;
    latest = context;
    (stays.get(context) ?? begin(context, idleMs))?.prolong();
  });
}

function currentRequest(): RequestContext | undefined {
  return (globalThis as { [place]?: { get?(): RequestContext | undefined } })[place]?.get?.();
}

/** The longest a timer can wait, milliseconds: what is longer is over at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds, never less than 0; as long as a timer can wait where the platform names no deadline. */
function timeLeft({ deadline = "" }: RequestContext): number {
  const endsAt = Date.parse(deadline);
  return Number.isNaN(endsAt) ? LONGEST_TIMER_MS : Math.max(0, endsAt - processClock.now() - RESERVE_MS);
}
