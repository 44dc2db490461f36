import { UsageError } from "../../errors/errors.ts";
import { kindOf } from "../../errors/redact.ts";
import { Connections } from "./connections.ts";

/** What a runtime tells of one request, and what it lets live beyond the response. */
export interface RequestContext {
  /** Keeps the request's sockets open until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * One request, from its first statement to its end. Connections are opened on first use and end when the work is done and nothing is on its
 * way; the request is kept alive until they have. What begins later, in a response that streams, opens its own.
 */
export class RequestScope {
  readonly connections: Connections;
  readonly #onLeave = new Set<() => void>();
  #working: boolean;

  /** Without `working` it is that of a single call: its connection ends as soon as the call has given it back. */
  constructor(context: RequestContext | undefined, working = true) {
    this.#working = working;
    this.connections = new Connections({
      mayEnd: () => !this.#working,
      onOpen: (ended) => context && keepAlive(context, ended),
    });
  }

  /** Has `listener` called when the work is done. Returns a function that takes it off. */
  onLeave(listener: () => void): () => void {
    this.#onLeave.add(listener);
    return () => this.#onLeave.delete(listener);
  }

  /** The work is done: connections nobody holds end now, the others when they are given back. */
  leave(): void {
    this.#working = false;
    for (const listener of this.#onLeave) listener();
    this.connections.end();
  }
}

/** Hands a promise to the platform, or to what was given in its place. @throws UsageError WAIT_UNTIL_FAILED */
function keepAlive(context: RequestContext, ended: Promise<void>): void {
  try {
    // a promise of a failure is nobody's: the request lives for as long as it does
    Promise.resolve(context.waitUntil(ended)).catch(() => {});
  } catch (error) {
    throw new UsageError(`waitUntil of the request threw (${kindOf(error)}). Hand in its own ctx, while it is answered.`, {
      code: "WAIT_UNTIL_FAILED",
    });
  }
}

/** The part of AsyncLocalStorage that is needed. */
export interface ScopeContext {
  getStore(): RequestScope | undefined;
  run<T>(store: RequestScope, work: () => T): T;
}

/** Runs `work` as one request: what it asks of any database shares the connections of this request. Within a scope it only runs it. */
export function runInScope<T>(scopes: ScopeContext, context: RequestContext, work: () => T): T {
  if (scopes.getStore() !== undefined) return work();
  const scope = new RequestScope(context);
  return scopes.run(scope, () => {
    let result: T | undefined;
    try {
      result = work();
      return result;
    } finally {
      // a handler may answer at once, or later
      Promise.resolve(result)
        .catch(() => {})
        .then(() => scope.leave());
    }
  });
}
