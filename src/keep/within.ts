import { failure } from "./failure.ts";

/**
 * Runs a step of a thing's life, CREATE say, and gives what it comes to in time; what comes later is handed to `discard`. Rejects with
 * CREATE_FAILED or CREATE_TIMEOUT. The step begins when who called has gone on, so it may itself ask for the thing.
 */
export function within<T>(
  key: string,
  step: string,
  limitMs: number,
  work: () => T | Promise<T>,
  discard?: (value: T) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(
      () => {
        timer = undefined;
        // biome-ignore lint/style/useTemplate: each byte counts here
        reject(failure(key, step + "_TIMEOUT"));
      },
      // a timer that is to wait for longer than 2^31 ms waits for none
      Math.min(limitMs, 2e9),
    );
    Promise.resolve()
      .then(work)
      .then((value) => (timer ? resolve(value) : discard?.(value)))
      // what could not be discarded is told to nobody: who waited has heard of the time-out
      // biome-ignore lint/style/useTemplate: each byte counts here
      .catch((cause) => reject(failure(key, step + "_FAILED", { cause })))
      .finally(() => clearTimeout(timer));
  });
}
