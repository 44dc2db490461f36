import { look } from "./look.ts";

/** Errors whose stack shows who awaits the call. */
const shown = new WeakSet<Error>();

/**
 * Gives an error the frames of whoever awaits the call: where it was made, on a socket, nobody of the caller's stands. To be called from the
 * async function that awaits the failure, once it has failed, so it costs nothing where nothing fails. What has them already keeps them.
 *
 * @param below the function whose own frames are left out; or the error whose frames are taken
 */
export function showCaller<E extends Error>(error: E, below: Error | ((...args: never) => unknown)): E {
  if (shown.has(error)) return error;
  if (typeof below === "function") {
    // not every engine has it, and somebody else's error may be frozen
    look(() => Error.captureStackTrace?.(error, below), undefined);
    shown.add(error);
  } else if (shown.has(below)) {
    const { stack = "" } = below;
    const frames = stack.slice(stack.indexOf("\n    at "));
    error.stack = `${error.name}: ${error.message}${stack.includes("\n    at ") ? frames : ""}`;
    shown.add(error);
  }
  return error;
}
