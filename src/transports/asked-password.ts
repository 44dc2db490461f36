import { passwordTimeout } from "./password-failure.ts";
import type { Cancellation, Clock } from "./transport.ts";

/** A password function, asked once by one login. */
export interface AskedPassword {
  /** Rejections that nobody has heard yet are no unhandled ones: a driver listens when its connection is open. */
  readonly ask: () => Promise<string>;
  /** Whether it has been asked, and has not answered. */
  readonly isWaiting: () => boolean;
  /** Whoever asked gets this error, and nothing that comes later. */
  readonly giveUp: (error: unknown) => void;
}

/** Makes a password function one that can be given up. */
export function askOnce(source: () => Promise<string>): AskedPassword {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let waiting = false;
  const answered = () => {
    waiting = false;
  };
  promise.then(answered, answered);
  return {
    ask() {
      waiting = true;
      source().then(resolve, reject);
      return promise;
    },
    isWaiting: () => waiting,
    giveUp: reject,
  };
}

/** How long a password may take, where nothing else bounds a login. */
export interface AskLimits {
  readonly cancellation: Cancellation;
  readonly limitMs: number;
  readonly clock: Clock;
}

/** Asks a password function, no longer than its call lasts, and than connecting may take. @throws ConnectionError PASSWORD_FAILED */
export function askInTime(source: () => Promise<string>, { cancellation, limitMs, clock }: AskLimits): Promise<string> {
  const { ask, giveUp } = askOnce(source);
  const timer = clock.setTimeout(() => giveUp(passwordTimeout(limitMs)), limitMs);
  const stopListening = cancellation.onCancel(() => giveUp(cancellation.reason?.("not-sent")));
  return ask().finally(() => {
    clock.clearTimeout(timer);
    stopListening();
  });
}
