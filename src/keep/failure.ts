import type { ErrorDetails } from "../errors/errors.ts";

/** What is particular to an error. */
interface Particulars extends Partial<ErrorDetails> {
  readonly name?: "UsageError";
}

/**
 * A ConnectionError, or what `particulars` says, as `isWarmlineError` and `instanceof` know it: by its brand and its name. Made without
 * the classes, which weigh more than half of what all this may.
 */
export function failure(key: string, code: string, particulars?: Particulars): Error {
  // of a key that is an address, with its password, no more than the scheme; the cause is given twice, and stays hidden from a loop over the error
  return Object.assign(new Error(`keep(${String(key).split("//", 1)}): ${code} (docs/keep.md)`, particulars), {
    [Symbol.for("warmline.error")]: true,
    name: "ConnectionError",
    code,
    fate: "not-sent",
    retryable: true,
    ...particulars,
  });
}
