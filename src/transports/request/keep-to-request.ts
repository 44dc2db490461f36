import { UsageError } from "../../errors/errors.ts";
import { asCaller } from "../pool/as-caller.ts";

/** A client of pg's, as far as it is asked. */
interface AskedClient {
  query(...args: unknown[]): unknown;
  release(destroy?: Error | boolean): void;
  readonly _queryable?: boolean;
  readonly _ending?: boolean;
}

/** What pg takes in place of a text, which is told of its failure. */
interface Submittable {
  handleError(error: Error): void;
}

/**
 * Has a client refuse what it is asked outside of the request it was opened in, and behind its end: the platform would let another request wait for
 * ever, without a word to pg. Nor can another request give it back.
 */
export function keepToRequest(client: object): void {
  const asked = client as AskedClient;
  // the runtime runs it for nobody else
  const here = asCaller()(() => {});
  const isHere = (): boolean => {
    try {
      here();
      return true;
    } catch {
      return false;
    }
  };
  asked.query = (...args) => {
    const { query } = Object.getPrototypeOf(asked) as AskedClient;
    if (!asked._ending && isHere()) return Reflect.apply(query, asked, args);
    return refuse(args, requestOver());
  };
  let release: AskedClient["release"] | undefined;
  Object.defineProperty(asked, "release", {
    get: () => release,
    // by whoever lends it, each time
    set(own: AskedClient["release"]) {
      release = (destroy) => {
        if (!isHere()) throw requestOver();
        own(destroy);
      };
    },
  });
}

/** Tells whoever asked in the way that pg would. */
function refuse(args: readonly unknown[], error: UsageError): unknown {
  const [asked] = args;
  if (isSubmittable(asked)) {
    process.nextTick(() => asked.handleError(error));
    return asked;
  }
  const callback = [...args, (asked as { callback?: unknown } | null | undefined)?.callback].find((arg) => typeof arg === "function");
  if (callback === undefined) return Promise.reject(error);
  process.nextTick(callback as (error: Error) => void, error);
  return undefined;
}

function isSubmittable(asked: unknown): asked is Submittable {
  return typeof (asked as { submit?: unknown } | null | undefined)?.submit === "function";
}

function requestOver(): UsageError {
  return new UsageError(
    "This client's request is over, or it is another's, and its connection ended with it. Ask the pool in each request: pool.query(…), or pool.connect() and release().",
    { code: "REQUEST_OVER" },
  );
}
