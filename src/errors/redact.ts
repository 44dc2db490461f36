import { look } from "./look.ts";

/** What stands in the place of a secret or a value. */
export const BLANK = "[redacted]";

/**
 * A text with every password, token and URL credential in it blanked. For messages that come from drivers, runtimes and the operating
 * system; ours are written without any.
 */
export function redactSecrets(text: string, secrets: readonly string[] = []): string {
  let out = text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/?#]*@/gi, `$1${BLANK}@`)
    .replace(/\b(Bearer|password=)\s*[^\s&"',]+/gi, `$1${BLANK}`);
  for (const secret of secrets) {
    if (secret.length > 0) out = out.replaceAll(secret, BLANK).replaceAll(encodeURIComponent(secret), BLANK);
  }
  return out;
}

/** A copy of a foreign error that keeps its name, codes and system call, and whose message holds no secret. Fit to be a `cause`. */
export function redactedCause(failure: unknown, secrets: readonly string[] = []): Error | undefined {
  return look(() => copyOf(failure, secrets), undefined);
}

function copyOf(failure: unknown, secrets: readonly string[]): Error | undefined {
  // a WebSocket fails with an event
  const error = failure instanceof Object && "error" in failure ? failure.error : failure;
  if (!(error instanceof Error)) return undefined;
  const copy = new Error(redactSecrets(error.message, secrets));
  copy.name = error.name;
  const source = error as Error & Record<string, unknown>;
  for (const key of ["code", "errno", "syscall"]) {
    const value = source[key];
    if (typeof value === "string" || typeof value === "number") Object.assign(copy, { [key]: value });
  }
  return copy;
}

/** What kind of thing somebody else's code threw: its message may hold anything, and its name too where it is no name of a class. */
export function kindOf(failure: unknown): string {
  return look(() => (failure instanceof Error ? (/^[A-Z]\w{0,49}$/.exec(failure.name)?.[0] ?? "Error") : typeof failure), "object");
}

/** A value that is handed on whole and shown to nobody. */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return BLANK;
  }

  toJSON(): string {
    return BLANK;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return BLANK;
  }
}
