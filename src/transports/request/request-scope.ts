import { UsageError } from "../../errors/errors.ts";
import { kindOf } from "../../errors/redact.ts";
import { Connections } from "./connections.ts";

/** What a runtime tells of one request, and what it lets live beyond the response. */
export interface RequestContext {
  /** Keeps the request's sockets open until the promise settles. */
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * How long a Durable Object keeps connections that none of its events uses, milliseconds: an open socket keeps it from hibernating, which it does
 * after ten seconds of quiet. Source: Cloudflare's documentation, "Lifecycle of a Durable Object".
 */
const OBJECT_IDLE_MS = 5_000;

/**
 * One request, from its first statement to its end. Connections are opened on first use and end when the work is done and nothing is on its
 * way; the request is kept alive until they have. What begins later, in a response that streams, opens its own, or a scope of its own.
 */
export class RequestScope {
  readonly connections: Connections;
  readonly #onLeave = new Set<() => void>();
  readonly #idleMs: number;
  /** Pieces of work that run in it: one, or the events of an object. */
  #running = 0;
  #mayEnd = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Where nothing enters it, it is that of a single call: its connection ends as soon as the call has given it back. */
  constructor(context?: RequestContext, idleMs = 0) {
    this.#idleMs = idleMs;
    this.connections = new Connections({
      mayEnd: () => this.#mayEnd,
      onOpen: (ended) => context && keepAlive(context, ended),
    });
  }

  /** Whether work runs in it. */
  get isEntered(): boolean {
    return this.#running > 0;
  }

  /** Has `listener` called when the work is done. Returns a function that takes it off. */
  onLeave(listener: () => void): () => void {
    this.#onLeave.add(listener);
    return () => this.#onLeave.delete(listener);
  }

  enter(): void {
    this.#running++;
    this.#mayEnd = false;
    clearTimeout(this.#timer);
  }

  /** The work is done: connections nobody holds end now, or after the idle time, the others when they are given back. */
  leave(): void {
    if (--this.#running > 0) return;
    for (const listener of this.#onLeave) listener();
    if (this.#idleMs === 0) this.#end();
    else this.#timer = setTimeout(() => this.#end(), this.#idleMs);
  }

  #end(): void {
    this.#mayEnd = true;
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

/** The scopes of Durable Objects, by what the platform gives an object: the same for all of its events, and gone with it. */
const ofObjects = new WeakMap<object, RequestScope>();

/** The scope of a request, or of an object, whose events may use what others of it have opened. */
function scopeFor(context: RequestContext): RequestScope {
  if (typeof context !== "object" || context === null)
    throw new UsageError("A scope is a request's: db.scope(ctx, work), with what its handler was given.", { code: "INVALID_OPTION" });
  if (!("storage" in context)) return new RequestScope(context);
  const scope = ofObjects.get(context) ?? new RequestScope(undefined, OBJECT_IDLE_MS);
  ofObjects.set(context, scope);
  return scope;
}

/**
 * Runs `work` as one request: what it asks of any database shares the connections of this request. Within the work of a scope it is part of it,
 * and the scope lasts until both are done; behind its end, in a response that streams, it is one of its own.
 */
export function runInScope<T>(scopes: ScopeContext, context: RequestContext, work: () => T): T {
  const around = scopes.getStore();
  const scope = around?.isEntered ? around : scopeFor(context);
  scope.enter();
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
