import { CancelledError, isWarmlineError, type WarmlineError } from "../errors/errors.ts";

/** Runs a callback of the caller's, and throws what this package threw in it, out of Drizzle's wrapper. */
type Unwrapped = <R>(work: () => Promise<R>) => Promise<R>;

/**
 * Runs a transaction whose callback rejects with Drizzle's errors. The transaction is given what they wrap: it tells by it whether to begin anew,
 * and what became of all of its work. The caller gets Drizzle's error, with the transaction's word for the whole as its `cause`.
 */
export async function throughWrapper<T>(run: (unwrapped: Unwrapped) => Promise<T>): Promise<T> {
  let wrapped: { readonly outer: Error; readonly inner: WarmlineError } | undefined;
  try {
    return await run(async (work) => {
      wrapped = undefined;
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Error) || isWarmlineError(error) || !isWarmlineError(error.cause)) throw error;
        wrapped = { outer: error, inner: error.cause };
        throw error.cause;
      }
    });
  } catch (error) {
    // a transaction that is cancelled waits for no callback: whether Drizzle has wrapped it by then is chance
    if (wrapped === undefined || !isWarmlineError(error) || error instanceof CancelledError) throw error;
    const { outer, inner } = wrapped;
    if (error !== inner && error.cause !== inner) throw error;
    outer.cause = error;
    throw outer;
  }
}
