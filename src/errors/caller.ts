import { look } from "./look.ts";

/** Errors whose stack shows who awaits the call. */
const shown = new WeakSet<Error>();

/**
 * Gives an error the frames of whoever awaits the call: where it was made, on a socket, nobody of the caller's stands. To be called from the
 * async function that awaits the failure, once it has failed, so it costs nothing where nothing fails. What has them already keeps them.
 *
 * @param below the function whose own frames are left out; or the error whose frames are taken
 */
export function showCaller<E extends PointedError>(error: E, below: Error | ((...args: never) => unknown)): E {
  if (shown.has(error)) return error;
  if (typeof below === "function") {
    // not every engine has it, and somebody else's error may be frozen
    look(() => {
      Error.captureStackTrace?.(error, below);
      if (EXCERPT in error) show(error, framesOf(error));
    }, undefined);
    shown.add(error);
  } else {
    const { [EXCERPT]: excerpt } = below as PointedError;
    if (excerpt !== undefined) pointAt(error, excerpt);
    if (shown.has(below)) {
      show(error, framesOf(below));
      shown.add(error);
    }
  }
  return error;
}

/**
 * The same for one who was told of a failure by somebody else's await, as a stream's reader is by its fetching: the reader's frames take the
 * place of those.
 */
export function showReader<E extends PointedError>(error: E, below: (...args: never) => unknown): E {
  shown.delete(error);
  showCaller(error, below);
  return error;
}

/** By which any copy of this package finds the line of the statement that the server points at. */
const EXCERPT: unique symbol = Symbol.for("warmline.excerpt");

/** An error that may have one. */
interface PointedError extends Error {
  readonly [EXCERPT]?: string;
}

/** Gives an error the line of its statement that the server points at: it stands before the frames of whoever awaits the call. */
export function pointAt(error: Error, excerpt: string): void {
  Object.defineProperty(error, EXCERPT, { value: excerpt, configurable: true });
}

/** The line that was given to an error by `pointAt`, and the caret below it. */
export function excerptOf({ [EXCERPT]: excerpt }: PointedError): string | null {
  return excerpt?.replace(/^\n/, "") || null;
}

function framesOf({ stack = "" }: Error): string {
  const at = stack.indexOf("\n    at ");
  return at < 0 ? "" : stack.slice(at);
}

/** Writes the stack anew, with the line of the statement that the server points at. */
function show(error: PointedError, frames: string): void {
  const { name, message, [EXCERPT]: excerpt = "" } = error;
  error.stack = `${name}: ${message}${excerpt}${frames}`;
}
