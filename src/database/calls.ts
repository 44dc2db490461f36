import { makeBreaker } from "../delivery/breaker.ts";
import { makeRetryBudget } from "../delivery/budget.ts";
import { type Deadline, type Ends, makeDeadline } from "../delivery/deadline.ts";
import { type Delivery, type DeliveryContext, deliver } from "../delivery/deliver.ts";
import type { OwnWork } from "../delivery/own-work.ts";
import { mayRepeat, type RepeatClaims } from "../delivery/retry.ts";
import { showCaller } from "../errors/caller.ts";
import { isWarmlineError, UsageError, type WarmlineError } from "../errors/errors.ts";
import type { BreakerEvent } from "../observe/events.ts";
import { type Called, observeCall } from "../observe/observe-call.ts";
import type { TracedCall } from "../observe/trace-calls.ts";
import type { CallOptions, NoticeEvent, Result, Statement, Transport } from "../transports/transport.ts";
import type { Call, Limits } from "./call.ts";
import { commented } from "./commented.ts";
import { areFinished, type Finishing, finishRows } from "./finish-rows.ts";
import { admitCall } from "./nesting.ts";
import { parsersOf } from "./parsers.ts";
import type { DatabaseParts, Ground } from "./parts.ts";
import { type Ask, lookupForm } from "./user-types.ts";

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
  /**
   * Of calls that hold a connection, where that goes another way than a query: a WebSocket that cannot be opened tells nothing of a POST.
   */
  readonly #besideHttp: DeliveryContext;
  /** The ends of calls that run where an environment freezes: the next call ends those whose time was over meanwhile. */
  readonly ends = new Set<Deadline>();
  retries = 0;
  running = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  constructor(parts: DatabaseParts) {
    const { events, ground } = parts;
    this.parts = parts;
    const breaker = (transport: () => BreakerEvent["transport"]) =>
      makeBreaker((state, until) => events.size > 0 && events.tell({ type: "breaker", transport: transport(), state, until }));
    this.context = {
      ...parts.delivery,
      breaker: breaker(() => ground().plan.transport),
      budget: makeRetryBudget(),
      onRetry: ({ code, fate }, attempt, delayMs) => {
        this.retries++;
        if (events.size > 0) events.tell({ type: "retry", code, fate, attempt, delayMs });
      },
    };
    this.#besideHttp = { ...this.context, breaker: breaker(() => "websocket") };
  }

  /** What keeps calls that hold a connection from a dead server, where that is another than for a query. */
  get holding(): DeliveryContext | undefined {
    return this.parts.ground().plan.session === "websocket" ? this.#besideHttp : undefined;
  }

  /** One call: its deadline, its attempts, and its end. @throws UsageError CLOSED, NESTED_QUERY */
  run<T>(limits: Limits, call: Call<T>): Promise<T> {
    if (this.#closed) throw new UsageError("The database was closed. Create a new one.", { code: "CLOSED" });
    const { events, tracing } = this.parts;
    const ground = this.ground();
    if (ground instanceof Promise) return ground;
    for (const end of this.ends) end.endIfLate();
    const running = new RunningCall(this, ground, limits, call);
    const { operation, statements } = call;
    const elsewhere = call.elsewhere?.();
    const context = elsewhere ? { ...this.context, ...elsewhere } : this.context;
    this.running++;
    if (operation === undefined || (events.size === 0 && !tracing?.hears(operation))) return deliver(running, context);
    return this.observe({ operation, within: null, statements, attempts: () => running.attempts }, (traced) => {
      running.traced = traced;
      return deliver(running, context);
    });
  }

  /** What ends a call that begins now. @throws UsageError NESTED_QUERY */
  endsOf({ deadlineMs, signal }: Pick<Limits, "deadlineMs" | "signal">, ground: Ground): Ends {
    const endAt = admitCall(this.parts.callbacks, this.identity);
    const limitMs = deadlineMs ?? (endAt === undefined ? ground.deadlineMs : ground.requestDeadlineMs);
    return { deadlineMs: limitMs || Number.POSITIVE_INFINITY, signal, endAt };
  }

  /** What calls stand on; or, where settings are missing, the failure to hand on. */
  ground(): Ground | Promise<never> {
    try {
      return this.parts.ground();
    } catch (error) {
      return this.#late(error);
    }
  }

  /**
   * Rejects when a server that is not there would have at the soonest: behind a timer. Next.js begins the calls of a page when it builds, and gives
   * them up a turn later; what the environment lacks there is no failure of the build.
   */
  #late(error: unknown): Promise<never> {
    if (isWarmlineError(error)) showCaller(error, this.ground);
    return new Promise((_, reject) => void this.parts.delivery.clock.setTimeout(() => reject(error), 0));
  }

  /** Runs what will be told to those who listen; without them, it only runs it. */
  observe<T>(called: Called, run: (traced?: TracedCall) => Promise<T>): Promise<T> {
    const { events, tracing, stopwatch, delivery, ground } = this.parts;
    const traced = tracing?.hears(called.operation) ? tracing.begin(called, ground().plan) : undefined;
    const traces = traced ? () => traced.run(() => run(traced)) : run;
    if (events.size === 0) return traces();
    return observeCall(called, { events, now: delivery.clock.now, stopwatch, slowMs: ground().slowQueryMs }, traces);
  }

  /** The statement with the comment that is sent behind it. */
  readonly comment = (statement: Statement): Statement => commented(statement, this.parts.ground().sqlCommenter);

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
  traced: TracedCall | undefined;
  readonly #calls: Calls;
  readonly #ground: Ground;
  readonly #limits: Limits;
  readonly #call: Call<T>;
  /** Of the last attempt. */
  #options: CallOptions | undefined;

  constructor(calls: Calls, ground: Ground, limits: Limits, call: Call<T>) {
    this.#calls = calls;
    this.#ground = ground;
    this.#limits = limits;
    this.#call = call;
    calls.apart = ground.plan.traits.ioScope === "request";
    this.cancellation = makeDeadline(calls.parts.delivery.clock, calls.endsOf(limits, ground));
    if (ground.plan.traits.freezes) calls.ends.add(this.cancellation);
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

  finish(value: T): T | Promise<T> {
    const { operation, statements } = this.#call;
    const call = this.#options;
    if (call === undefined || (operation !== "query" && operation !== "batch")) return value;
    const { types } = this.#ground;
    const results = (operation === "batch" ? value : [value]) as Result[];
    const sent = (operation === "batch" ? statements : [statements]) as Statement[];
    if (areFinished(results, sent, { types, read: call })) return value;
    const { cancellation } = this;
    const { random } = this.#calls.parts.delivery;
    const ask: Ask = (statement) => this.#lookUp(statement, { ...call, ...lookupForm, cancellation });
    const finishing: Finishing = { types, random, call: { ...call, cancellation }, ask, fate: () => "unknown", waits: !this.#calls.apart };
    return finishRows(results, sent, finishing).then(() => value);
  }

  onEnd(): void {
    this.cancellation.dispose();
    this.#calls.ends.delete(this.cancellation);
    this.#calls.ended();
  }

  #begin(transport: Transport): Promise<T> {
    this.#calls.transport = transport;
    const { cache, readOnly = false, idempotent = false, rowMode = "object", attemptTimeoutMs, settings } = this.#limits;
    const { types, maxResponseBytes } = this.#ground;
    const parsers = parsersOf(this.#limits.types, types.parsers);
    const { cancellation, attempts: attempt } = this;
    const { events } = this.#calls.parts;
    const onNotice = events.size > 0 ? (notice: NoticeEvent) => events.tell(notice) : undefined;
    const options = { cancellation, rowMode, parsers, maxResponseBytes, cache, readOnly, idempotent, settings, attempt, onNotice };
    this.#options = options;
    if (!attemptTimeoutMs) return this.#send(transport, options);
    const bounds = makeDeadline(this.#calls.parts.delivery.clock, { deadlineMs: attemptTimeoutMs, whole: cancellation });
    return this.#send(transport, { ...options, cancellation: bounds }).finally(() => bounds.dispose());
  }

  #send(transport: Transport, options: CallOptions): Promise<T> {
    const { traced } = this;
    const sent = this.#call.work(transport, options, traced);
    return traced ? traced.sent(sent) : sent;
  }

  /** Sends a lookup over the same transport. Nothing of the call's own is on its way any more. */
  #lookUp(statement: Statement, options: CallOptions): Promise<Result> {
    const { transport, context } = this.#calls;
    const claims = { idempotent: true, readOnly: false };
    const attempt = (number: number) => (transport as Transport).query(statement, { ...options, ...claims, attempt: number });
    const { cancellation } = this;
    return deliver({ cancellation, attempt, mayRepeat: (error, number) => mayRepeat(error, claims, number) }, context);
  }
}
