import { makeBreaker } from "../delivery/breaker.ts";
import { makeRetryBudget } from "../delivery/budget.ts";
import { type Deadline, makeDeadline } from "../delivery/deadline.ts";
import { type Delivery, type DeliveryContext, deliver } from "../delivery/deliver.ts";
import type { OwnWork } from "../delivery/own-work.ts";
import { mayRepeat, type RepeatClaims } from "../delivery/retry.ts";
import { UsageError, type WarmlineError } from "../errors/errors.ts";
import { type Called, observeCall } from "../observe/observe-call.ts";
import type { Transport } from "../transports/transport.ts";
import { refuseNested } from "./nesting.ts";
import type { QueryOptions } from "./options.ts";
import type { DatabaseParts, Ground } from "./parts.ts";
import { parsersOf } from "./result.ts";
import type { Call } from "./work.ts";

/** How a call is bounded, and what is claimed of it. */
export type Limits = Omit<QueryOptions, "fallback">;

/** The calls of one database, and what they share. */
export class Calls {
  /** What tells this database from others. */
  readonly identity = {};
  /** Known from the first call on. */
  transport: Transport | undefined;
  /** Whether what another request began must not be waited for: there promises belong to the request that made them. */
  apart = false;
  /** 1 from a warm-up that failed until the end of the call after it, whose first attempt it counts as. */
  warmedInVain = 0;
  readonly parts: DatabaseParts;
  readonly context: DeliveryContext;
  retries = 0;
  running = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: DatabaseParts) {
    const { events } = parts;
    this.parts = parts;
    this.context = {
      ...parts.delivery,
      breaker: makeBreaker((state, until) => events.size > 0 && events.tell({ type: "breaker", state, until })),
      budget: makeRetryBudget(),
      onRetry: ({ code, fate }, attempt, delayMs) => {
        this.retries++;
        if (events.size > 0) events.tell({ type: "retry", code, fate, attempt, delayMs });
      },
    };
  }

  /** One call: its deadline, its attempts, and its end. @throws UsageError CLOSED, NESTED_QUERY */
  run<T>(limits: Limits, call: Call<T>): Promise<T> {
    if (this.#closed) throw new UsageError("The database was closed. Create a new one.", { code: "CLOSED" });
    const { callbacks, events, ground } = this.parts;
    refuseNested(callbacks, this.identity);
    const running = new RunningCall(this, ground(), limits, call);
    const { operation, statements, elsewhere } = call;
    const context = elsewhere ? { ...this.context, ...elsewhere } : this.context;
    this.running++;
    if (operation === undefined || events.size === 0) return deliver(running, context);
    return this.observe({ operation, within: null, statements, attempts: () => running.attempts }, () => deliver(running, context));
  }

  /** Runs what will be told to those who listen; without them, it only runs it. */
  observe<T>(called: Called, run: () => Promise<T>): Promise<T> {
    const { events, stopwatch, delivery, ground } = this.parts;
    if (events.size === 0) return run();
    return observeCall(called, { events, now: delivery.clock.now, stopwatch, slowMs: ground().slowQueryMs }, run);
  }

  /** By its fate and the call's claims. */
  mayRepeat(error: WarmlineError, claims: RepeatClaims, attempt: number): boolean {
    return mayRepeat(error, claims, attempt + this.warmedInVain);
  }

  /** A call has ended. */
  ended(): void {
    this.warmedInVain = 0;
    if (--this.running === 0) this.#onIdle?.();
  }

  /** Refuses what comes from now on; resolves when the calls that run have ended, where they may be waited for. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.running === 0 || this.apart) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }
}

/** One call, over all its attempts. */
class RunningCall<T> implements Delivery<T> {
  readonly cancellation: Deadline;
  attempts = 0;
  readonly #calls: Calls;
  readonly #ground: Ground;
  readonly #limits: Limits;
  readonly #call: Call<T>;

  constructor(calls: Calls, ground: Ground, limits: Limits, call: Call<T>) {
    const { deadlineMs = ground.deadlineMs, signal } = limits;
    this.#calls = calls;
    this.#ground = ground;
    this.#limits = limits;
    this.#call = call;
    calls.apart = ground.plan.traits.ioScope === "request";
    this.cancellation = makeDeadline(calls.parts.delivery.clock, { deadlineMs: deadlineMs || Number.POSITIVE_INFINITY, signal });
  }

  attempt(number: number): Promise<T> {
    this.attempts = number;
    const { transport } = this.#calls;
    if (transport !== undefined) return this.#begin(transport);
    // at once where it can be had at once: then a stack still says who called
    const made = this.#ground.transport();
    return "query" in made ? this.#begin(made) : made.then((chosen) => this.#begin(chosen));
  }

  mayRepeat(error: WarmlineError, attempt: number): boolean {
    const { repeat } = this.#call;
    return repeat ? repeat(error, attempt) : this.#calls.mayRepeat(error, this.#limits, attempt);
  }

  own(): OwnWork | undefined {
    return this.#call.own?.();
  }

  onEnd(): void {
    this.cancellation.dispose();
    this.#calls.ended();
  }

  #begin(transport: Transport): Promise<T> {
    this.#calls.transport = transport;
    const { cache, readOnly = false, idempotent = false, rowMode = "object", attemptTimeoutMs } = this.#limits;
    const { maxResponseBytes } = this.#ground;
    const { cancellation, attempts: attempt } = this;
    const parsers = parsersOf(this.#limits.types, this.#ground.parsers);
    const options = { cancellation, rowMode, parsers, maxResponseBytes, cache, readOnly, idempotent, attempt };
    const { work } = this.#call;
    if (!attemptTimeoutMs) return work(transport, options);
    const bounds = makeDeadline(this.#calls.parts.delivery.clock, { deadlineMs: attemptTimeoutMs, whole: cancellation });
    return work(transport, { ...options, cancellation: bounds }).finally(() => bounds.dispose());
  }
}
