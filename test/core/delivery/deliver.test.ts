import { describe, expect, test } from "vitest";
import { type Breaker, makeBreaker } from "../../../src/delivery/breaker.ts";
import { makeRetryBudget, type RetryBudget } from "../../../src/delivery/budget.ts";
import { makeDeadline } from "../../../src/delivery/deadline.ts";
import { deliver } from "../../../src/delivery/deliver.ts";
import { backoffMs, mayRepeat, type RepeatClaims } from "../../../src/delivery/retry.ts";
import { DatabaseError } from "../../../src/errors/database-error.ts";
import { CancelledError, ConnectionError, type Fate, type WarmlineError } from "../../../src/errors/errors.ts";
import { handDrivenClock } from "./hand-driven-clock.ts";

interface Setting {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  readonly claims?: Partial<RepeatClaims>;
  readonly random?: () => number;
  readonly breaker?: Breaker;
  readonly budget?: RetryBudget;
  /** What each attempt does: an error to fail with, or a value. The last goes for all that follow. */
  readonly attempts: readonly unknown[];
}

function start({
  breaker = makeBreaker(() => {}),
  budget = makeRetryBudget(),
  deadlineMs = 60_000,
  signal,
  claims,
  random = () => 1,
  attempts,
}: Setting) {
  const clock = handDrivenClock();
  const cancellation = makeDeadline(clock, { deadlineMs, signal });
  const startedAt = clock.now();
  const at: number[] = [];
  const retried: WarmlineError[] = [];
  let outcome: unknown;
  const repeat = (error: WarmlineError, attempt: number) => mayRepeat(error, { readOnly: false, idempotent: false, ...claims }, attempt);
  void deliver(
    {
      cancellation,
      mayRepeat: repeat,
      async attempt(number) {
        at.push(clock.now() - startedAt);
        const step = attempts[Math.min(number, attempts.length) - 1];
        if (step instanceof Error) throw step;
        return step;
      },
    },
    { clock, random, breaker, budget, onRetry: (error) => retried.push(error) },
  ).then(
    (value) => {
      outcome = value;
    },
    (error: unknown) => {
      outcome = error;
    },
  );
  return { clock, cancellation, at, retried, outcome: () => outcome };
}

const lost = (fate: Fate, retryable = fate === "not-sent" || fate === "refused") =>
  new ConnectionError("The connection was lost.", { code: "CONNECTION_LOST", fate, retryable });
const said = (code: string, fate: Fate, retryable = true) => new DatabaseError({ message: "no", code }, { fate, retryable });

describe("delivery", () => {
  test("repeats what was not sent, five times in all, with doubling pauses", async () => {
    const call = start({ attempts: [lost("not-sent")] });
    await call.clock.advance(10_000);
    expect(call.at).toEqual([0, 50, 150, 350, 750]);
    expect(call.retried).toHaveLength(4);
    expect(call.outcome()).toMatchObject({ code: "CONNECTION_LOST", fate: "not-sent" });
  });

  test("stops at the first success", async () => {
    const call = start({ attempts: [lost("not-sent"), lost("not-sent"), "rows"] });
    await call.clock.advance(10_000);
    expect([call.outcome(), call.at.length]).toEqual(["rows", 3]);
  });

  test("spreads its pauses over the whole range", async () => {
    const call = start({ attempts: [lost("not-sent")], random: () => 0.5 });
    await call.clock.advance(10_000);
    expect(call.at).toEqual([0, 25, 75, 175, 375]);
    expect([backoffMs(1, () => 0), backoffMs(1, () => 1), backoffMs(5, () => 1), backoffMs(9, () => 1)]).toEqual([0, 50, 800, 1_000]);
  });

  test("leaves more time to a server that was asked for logins too fast", () => {
    expect([1, 2, 9].map((attempt) => backoffMs(attempt, () => 1, "53400"))).toEqual([400, 800, 4_000]);
  });

  test.each([
    ["not sent, but sure to fail again", lost("not-sent", false), {}, 1],
    ["no free connection slot (53300)", said("53300", "not-sent"), {}, 3],
    ["logins too fast (53400)", said("53400", "not-sent"), {}, 5],
    ["a server that starts (57P03)", said("57P03", "not-sent"), {}, 5],
    ["a refused password (28P01)", said("28P01", "not-sent"), {}, 2],
    ["refused authorization (28000)", said("28000", "not-sent"), {}, 2],
    ["a full pool", new ConnectionError("full", { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true }), {}, 1],
    ["a serialization failure", said("40001", "refused"), {}, 5],
    ["a deadlock", said("40P01", "refused"), {}, 5],
    ["a refused statement", said("23505", "refused"), { idempotent: true, readOnly: true }, 1],
    ["a connection refused within a transaction", lost("refused"), { idempotent: true }, 1],
    ["an unknown fate", lost("unknown"), {}, 1],
    ["an unknown fate of an idempotent query", lost("unknown"), { idempotent: true }, 5],
    ["an unknown fate of a read-only query", lost("unknown"), { readOnly: true }, 5],
    ["an applied statement", lost("applied"), { idempotent: true, readOnly: true }, 1],
    ["an applied statement that calls itself retryable", lost("applied", true), { idempotent: true, readOnly: true }, 1],
    ["a cancelled call", new CancelledError("over", { code: "ABORTED", fate: "not-sent", retryable: true }), { idempotent: true }, 1],
    ["a foreign error", new TypeError("a bug"), { idempotent: true }, 1],
  ] as const)("tries as often as it may: %s", async (_, error, claims, attempts) => {
    const call = start({ attempts: [error], claims });
    await call.clock.advance(60_000);
    expect(call.at).toHaveLength(attempts);
    expect(call.outcome()).toBe(error);
  });

  test("gives the last error when the deadline leaves no room for the pause", async () => {
    const second = lost("not-sent");
    const call = start({ attempts: [lost("not-sent"), second], deadlineMs: 140 });
    await call.clock.advance(60);
    expect(call.at).toEqual([0, 50]);
    expect(call.outcome()).toBe(second);
    expect(call.retried).toHaveLength(1);
  });

  test("keeps the doubt of an earlier attempt, whatever a later one did not do", async () => {
    const doubt = lost("unknown");
    const call = start({ attempts: [doubt, lost("not-sent", false)], claims: { idempotent: true } });
    await call.clock.advance(10_000);
    expect(call.at).toHaveLength(2);
    expect(call.outcome()).toBe(doubt);
  });

  test("ends in the pause when the signal is aborted, with the fate of what came before", async () => {
    const controller = new AbortController();
    const call = start({ attempts: [lost("unknown"), "rows"], claims: { idempotent: true }, signal: controller.signal });
    await call.clock.advance(10);
    controller.abort();
    await call.clock.advance(0);
    expect(call.outcome()).toMatchObject({ code: "ABORTED", fate: "unknown" });
    expect(call.at).toEqual([0]);
    call.cancellation.dispose();
    expect(call.clock.pending()).toBe(0);
  });

  test("begins nothing when the signal was aborted before", async () => {
    const call = start({ attempts: ["rows"], signal: AbortSignal.abort() });
    await call.clock.advance(0);
    expect(call.outcome()).toMatchObject({ code: "ABORTED", fate: "not-sent" });
    expect(call.at).toEqual([]);
  });

  test("leaves no timer and no listener behind", async () => {
    const controller = new AbortController();
    const call = start({ attempts: [lost("not-sent"), "rows"], signal: controller.signal });
    await call.clock.advance(100);
    expect(call.outcome()).toBe("rows");
    call.cancellation.dispose();
    expect(call.clock.pending()).toBe(0);
    controller.abort();
    expect(call.cancellation.reason).toBeUndefined();
  });
});

describe("a deadline", () => {
  test("tells its listeners once, and late ones at once", async () => {
    const clock = handDrivenClock();
    const deadline = makeDeadline(clock, { deadlineMs: 100 });
    const told: string[] = [];
    deadline.onCancel(() => told.push("first"));
    const stop = deadline.onCancel(() => told.push("stopped"));
    stop();
    await clock.advance(99);
    expect(told).toEqual([]);
    await clock.advance(1);
    deadline.onCancel(() => told.push("late"));
    await clock.advance(1_000);
    expect(told).toEqual(["first", "late"]);
    expect(deadline.reason?.("unknown")).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "unknown", retryable: false });
    expect(deadline.reason?.("not-sent")).toMatchObject({ fate: "not-sent", retryable: true });
    expect(deadline.signal().aborted).toBe(true);
  });

  test("of an attempt ends that attempt alone", async () => {
    const clock = handDrivenClock();
    const whole = makeDeadline(clock, { deadlineMs: 1_000 });
    const attempt = makeDeadline(clock, { deadlineMs: 100, whole });
    await clock.advance(100);
    expect(attempt.reason?.("unknown")).toMatchObject({ code: "ATTEMPT_TIMEOUT", fate: "unknown", retryable: false });
    expect(attempt.reason?.("refused")).toMatchObject({ fate: "refused", retryable: true });
    expect(whole.reason).toBeUndefined();
  });

  test("ends the attempt that is on its way, for its own reason, and one that begins later", async () => {
    const clock = handDrivenClock();
    const controller = new AbortController();
    const whole = makeDeadline(clock, { deadlineMs: 1_000, signal: controller.signal });
    const over = makeDeadline(clock, { deadlineMs: 100, whole });
    const running = makeDeadline(clock, { deadlineMs: 100, whole });
    over.dispose();
    controller.abort();
    const late = makeDeadline(clock, { deadlineMs: 100, whole });
    expect([over, running, late].map(({ reason }) => reason?.("not-sent").code)).toEqual([undefined, "ABORTED", "ABORTED"]);
    for (const deadline of [running, late, whole]) deadline.dispose();
    expect(clock.pending()).toBe(0);
  });

  test("sets no timer for what lies beyond the longest a timer can wait", () => {
    const clock = handDrivenClock();
    expect(makeDeadline(clock, { deadlineMs: Number.POSITIVE_INFINITY }).deadlineAt).toBe(Number.POSITIVE_INFINITY);
    makeDeadline(clock, { deadlineMs: 2 ** 31 });
    expect(clock.pending()).toBe(0);
    makeDeadline(clock, { deadlineMs: 2 ** 31 - 1 });
    expect(clock.pending()).toBe(1);
  });
});
