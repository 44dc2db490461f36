import { NoRoomError } from "./request-failure.ts";

/** How long somebody waits for a connection at most: as long as for the server to accept one. */
const WAIT_MS = 15_000;
/** How many wait at most. */
const MAX_WAITING = 1_000;

/** Those who wait, first come, first served. */
export interface WaitingLine<Wish, Given> {
  /**
   * Resolves with what is given. Rejects with a {@link NoRoomError} after fifteen seconds, or at once where a thousand wait already, and with the
   * signal's reason when that is aborted.
   */
  join(wish: Wish, signal: AbortSignal): Promise<Given>;
  readonly length: number;
  /** What the first in line wishes. */
  first(): Wish | undefined;
  /** Gives the first in line what was wished, or the promise of it, and takes it out. */
  serve(given: Given | Promise<Given>): void;
}

/** An empty line. */
export function createWaitingLine<Wish, Given>(): WaitingLine<Wish, Given> {
  /** In the order of their coming. */
  const waiting = new Set<{ readonly wish: Wish; readonly resolve: (given: Given | Promise<Given>) => void }>();
  return {
    async join(wish, signal) {
      signal.throwIfAborted();
      if (waiting.size >= MAX_WAITING) throw new NoRoomError();
      const { promise, resolve, reject } = Promise.withResolvers<Given>();
      const one = { wish, resolve };
      const timer = setTimeout(() => leave(new NoRoomError()), WAIT_MS);
      const abandon = () => leave(signal.reason);
      const leave = (reason: unknown) => {
        waiting.delete(one);
        reject(reason);
      };
      waiting.add(one);
      signal.addEventListener("abort", abandon, { once: true });
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", abandon);
      }
    },
    get length() {
      return waiting.size;
    },
    first() {
      const [one] = waiting;
      return one?.wish;
    },
    serve(given) {
      const [one] = waiting;
      if (one === undefined) return;
      waiting.delete(one);
      one.resolve(given);
    },
  };
}
