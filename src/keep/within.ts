import { failure } from "./failure.ts";

/** Runs `work`, and gives what it comes to in time; what comes later is handed to `discard`. */
type Bounded = <T>(work: () => T | Promise<T>, discard?: (value: T) => unknown) => Promise<T>;

/** Bounds a step of a thing's life, CREATE say, which rejects with CREATE_FAILED or CREATE_TIMEOUT. */
export function within(key: string, step: string, limitMs: number): Bounded {
  return (work, discard) =>
    new Promise((resolve, reject) => {
      const fail = (how: string, particulars?: ErrorOptions) => reject(failure(key, step + how, particulars));
      let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(() => {
        timer = undefined;
        fail("_TIMEOUT");
      }, limitMs);
      (async () => work())()
        .then((value) => (timer ? resolve(value) : discard?.(value)))
        // what could not be discarded is told to nobody: who waited has heard of the time-out
        .catch((cause) => fail("_FAILED", { cause }))
        .finally(() => clearTimeout(timer));
    });
}
