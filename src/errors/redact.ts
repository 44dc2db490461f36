const BLANK = "[redacted]";

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

/**
 * A server's message with the statement's parameter values blanked. Postgres quotes the offending input in its data exceptions (class 22),
 * also when an expression derived it from a parameter, so there every quoted piece goes.
 */
export function redactValues(message: string, context: { readonly values: readonly (string | null)[]; readonly sqlState: string }): string {
  let out = message;
  if (context.sqlState.startsWith("22")) out = out.replace(/".*"/s, `"${BLANK}"`);
  for (const value of context.values) {
    if (value !== null) for (const piece of piecesOf(value)) out = blank(out, piece);
  }
  return out;
}

/** A value, the start of it that Postgres takes for a name (63 bytes), and the texts inside an array or JSON. */
function piecesOf(value: string): readonly string[] {
  const texts = /^\s*[[{"]/.test(value)
    ? Array.from(value.matchAll(/"((?:[^"\\]|\\.)*)"/g), (match) => (match[1] ?? "").replace(/\\(.)/g, "$1"))
    : [];
  return value.length > 63 ? [value, value.slice(0, 63), ...texts] : [value, ...texts];
}

/** Blanks `piece` in any case, since Postgres writes names small; a short one only where it stands in quotes or brackets. */
function blank(message: string, piece: string): string {
  if (piece.length === 0 || !message.toLowerCase().includes(piece.toLowerCase())) return message;
  const text = piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  return piece.length > 3
    ? message.replace(new RegExp(text, "gi"), BLANK)
    : message.replace(new RegExp(`(["'(])${text}(?=["')])`, "g"), `$1${BLANK}`);
}

/** A copy of a foreign error that keeps its name, codes and system call, and whose message holds no secret. Fit to be a `cause`. */
export function redactedCause(failure: unknown, secrets: readonly string[] = []): Error | undefined {
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

/** What kind of thing somebody else's code threw: its message may hold anything. */
export function kindOf(failure: unknown): string {
  return failure instanceof Error ? failure.name : typeof failure;
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
