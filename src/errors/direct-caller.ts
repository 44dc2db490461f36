import { showReader } from "./caller.ts";
import { isWarmlineError } from "./errors.ts";

/**
 * Whether the engine finds who awaits a failure only where the very promise that is awaited is an async function's, as Bun's JavaScriptCore does. V8
 * looks through promises that were made of others, too. Not told by the fields of an error: for one that is made while modules are loaded workerd
 * takes 2 ms.
 */
const looksDirectly = "Bun" in globalThis;

/** What is called on a handle, or on the batches of a stream, and may fail at the server. */
const calls = ["query", "sql", "batch", "transaction", "session", "script", "next"] as const;

/** Errors that show who called. */
const pointed = new WeakSet<object>();

/**
 * An error that the async function `below` caught, and those who await that are async, too: so it is on the way of a stream's rows, for which a
 * wrapper would cost too much.
 */
export function pointingError(error: unknown, below: (...given: never) => unknown): unknown {
  return looksDirectly ? point(error, below) : error;
}

/** A handle whose errors show who awaits its calls on every engine: where it must, for one promise more, each call is an async function. */
export function pointing<H extends object>(handle: H): H {
  return looksDirectly ? wrapped(handle) : handle;
}

function wrapped<H extends object>(handle: H): H {
  const methods = handle as Record<string, (...given: readonly unknown[]) => Promise<unknown>>;
  for (const name of calls) {
    const call = methods[name]?.bind(handle);
    if (call === undefined) continue;
    methods[name] = async function told(...given) {
      try {
        return await call(...given);
      } catch (error) {
        throw point(error, told);
      }
    };
  }
  return handle;
}

/** One that came from a callback shows who called inside of it, and so does what was made of it. */
function point(error: unknown, below: (...given: never) => unknown): unknown {
  if (!isWarmlineError(error)) return error;
  const isPointed = [error, error.cause].some((one) => isWarmlineError(one) && pointed.has(one));
  pointed.add(error);
  if (!isPointed) showReader(error, below);
  return error;
}
