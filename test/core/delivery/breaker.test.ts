import { describe, expect, test } from "vitest";
import { makeBreaker } from "../../../src/delivery/breaker.ts";
import { makeRetryBudget } from "../../../src/delivery/budget.ts";
import { makeDeadline } from "../../../src/delivery/deadline.ts";
import { deliver } from "../../../src/delivery/deliver.ts";
import { isOutage, isUnavailable } from "../../../src/delivery/outage.ts";
import { noWork, type OwnWork } from "../../../src/delivery/own-work.ts";
import { mayRepeat } from "../../../src/delivery/retry.ts";
import { DatabaseError } from "../../../src/errors/database-error.ts";
import { CancelledError, ConnectionError, type WarmlineError } from "../../../src/errors/errors.ts";
import { handDrivenClock } from "./hand-driven-clock.ts";

const down = () => new ConnectionError("down", { code: "CONNECT_FAILED", fate: "not-sent", retryable: true });
const refused = (code: string, severity = "ERROR") => new DatabaseError({ message: "no", code, severity }, { fate: "refused" });

/** A database whose server does what it is told. */
function makeServer() {
  const clock = handDrivenClock();
  const changes: string[] = [];
  const breaker = makeBreaker((state, until) => changes.push(until === null ? state : `${state} for ${until - clock.now()}`));
  const budget = makeRetryBudget();
  let attempts = 0;
  let answer: () => Promise<unknown> = async () => "rows";
  let own: OwnWork | undefined;
  const call = (repeats = true) =>
    deliver(
      {
        cancellation: makeDeadline(clock, { deadlineMs: 60_000 }),
        mayRepeat: (error, number) => repeats && mayRepeat(error, {}, number),
        own: () => own,
        attempt() {
          attempts++;
          return answer();
        },
      },
      { clock, random: () => 1, breaker, budget, onRetry: () => {} },
    ).catch((error: WarmlineError) => error);
  return {
    clock,
    breaker,
    budget,
    changes,
    attempts: () => attempts,
    /** Answers from now on with a value, or fails with what is given: its own failure, or one that passes through a callback. */
    set(next: unknown, work?: OwnWork) {
      own = work;
      answer = async () => {
        if (next instanceof Error) throw next;
        return next;
      };
    },
    setAnswer(next: () => Promise<unknown>) {
      answer = next;
    },
    call,
    /** One attempt after another, so many milliseconds apart. */
    async callTimes(times: number, apartMs = 100) {
      const outcomes: unknown[] = [];
      for (let time = 0; time < times; time++) {
        if (time > 0) clock.jump(apartMs);
        outcomes.push(await call(false));
      }
      return outcomes.map((outcome) => (outcome instanceof Error ? (outcome as WarmlineError).code : outcome));
    },
  };
}

describe("the breaker", () => {
  test("opens after five failures in a row: the next call fails at once and says when to come back", async () => {
    const server = makeServer();
    server.set(down());
    expect(await server.callTimes(5)).toEqual(Array(5).fill("CONNECT_FAILED"));
    server.clock.jump(200);
    expect(await server.call()).toMatchObject({
      name: "ConnectionError",
      code: "CIRCUIT_OPEN",
      fate: "not-sent",
      retryable: true,
      retryAfterMs: 300,
      message: expect.stringContaining("CONNECT_FAILED"),
    });
    expect([server.attempts(), server.changes]).toEqual([5, ["open for 500"]]);
  });

  test("lets one call try each half second, and closes when it succeeds", async () => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(5);
    expect(await server.callTimes(16, 100)).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((n) => (n > 0 && n % 5 === 0 ? "CONNECT_FAILED" : "CIRCUIT_OPEN")),
    );
    expect(server.attempts()).toBe(8);
    server.set("rows");
    expect(await server.callTimes(2, 100)).toEqual(["CIRCUIT_OPEN", "CIRCUIT_OPEN"]);
    server.clock.jump(500);
    expect(await server.callTimes(3)).toEqual(["rows", "rows", "rows"]);
    expect(server.changes).toEqual([
      "open for 500",
      ...["half-open for 500", "open for 500"],
      ...["half-open for 500", "open for 500"],
      ...["half-open for 500", "open for 500"],
      "half-open for 500",
      "closed",
    ]);
  });

  test("lets another call try while the one before it hangs", async () => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(5);
    server.clock.jump(500);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    server.setAnswer(() => promise);
    const hanging = server.call();
    server.set("rows");
    expect(await server.callTimes(2, 500)).toEqual(["CIRCUIT_OPEN", "rows"]);
    expect(server.breaker.state).toBe("closed");
    resolve("late");
    expect(await hanging).toBe("late");
  });

  test.each([
    ["a success", "rows", undefined],
    ["a statement the server refuses", refused("42P01"), undefined],
    ["an error of the callback's own, behind an answer", new TypeError("a bug"), { ...noWork(), answered: true }],
    ["another database's outage, behind an answer", down(), { ...noWork(), answered: true }],
  ])("begins to count anew after %s", async (_, answer, work) => {
    const server = makeServer();
    for (let round = 0; round < 3; round++) {
      server.set(down());
      await server.callTimes(4);
      server.set(answer, work);
      await server.call(false);
    }
    expect(server.changes).toEqual([]);
  });

  test.each([
    ["an error of the callback's own", new TypeError("a bug")],
    ["another database's outage", down()],
  ])("counts on after %s, where nothing was answered", async (_, stranger) => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(4);
    server.set(stranger, noWork());
    await server.callTimes(20);
    expect(server.changes).toEqual([]);
    server.set(down());
    await server.call(false);
    expect(server.breaker.state).toBe("open");
  });

  test.each([
    ["a cancelled call", new CancelledError("over", { code: "DEADLINE_EXCEEDED", fate: "not-sent" })],
    ["a pool that is full", new ConnectionError("full", { code: "ACQUIRE_TIMEOUT", fate: "not-sent" })],
    ["a wrong certificate", new ConnectionError("tls", { code: "TLS_FAILED", fate: "not-sent" })],
  ])("counts nothing for %s", async (_, answer) => {
    const server = makeServer();
    server.set(answer);
    await server.callTimes(20);
    expect(server.changes).toEqual([]);
  });

  test("stays closed for calls that fail together, and for what is over in a moment", async () => {
    const server = makeServer();
    server.set(down());
    await Promise.all(Array.from({ length: 50 }, () => server.call(false)));
    await server.callTimes(40, 5);
    expect(server.changes).toEqual([]);
    server.clock.jump(100);
    await server.call(false);
    expect(server.changes).toEqual(["open for 500"]);
  });

  test("stops the further attempts of a running call, which keeps its own error", async () => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(4);
    const error = down();
    server.set(error);
    const last = server.call();
    const other = server.call();
    await server.clock.advance(10_000);
    expect([await last, await other]).toEqual([error, error]);
    expect(server.attempts()).toBe(6);
  });

  test("stops a call that waits to try again while it opens", async () => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(3, 110);
    const waiting = server.call();
    await server.clock.advance(0);
    server.clock.jump(40);
    await server.call(false);
    expect(server.breaker.state).toBe("open");
    await server.clock.advance(10_000);
    expect(await waiting).toMatchObject({ code: "CONNECT_FAILED" });
    expect(server.attempts()).toBe(5);
  });

  test("goes by the wall clock: a freeze ends the pause, and a clock that is set back does not make it longer", async () => {
    const server = makeServer();
    server.set(down());
    await server.callTimes(5);
    server.clock.jump(3_600_000);
    expect(await server.callTimes(1)).toEqual(["CONNECT_FAILED"]);
    server.clock.jump(-3_600_000);
    server.set("rows");
    expect(await server.callTimes(1)).toEqual(["rows"]);
  });
});

describe("the budget", () => {
  test("ends all repeating after a hundred repetitions without a success", async () => {
    const server = makeServer();
    server.set(refused("40001"));
    const calls = Array.from({ length: 200 }, () => server.call());
    await server.clock.advance(10_000);
    await Promise.all(calls);
    expect(server.attempts()).toBe(200 + 100);
    expect([await server.call(), server.attempts()]).toMatchObject([{ code: "40001" }, 301]);
  });

  test("is earned back by calls that succeed: five of them pay for one repetition", async () => {
    const budget = makeRetryBudget();
    while (budget.take());
    for (let call = 0; call < 4; call++) budget.earn(1);
    expect(budget.take()).toBe(false);
    budget.earn(1);
    expect([budget.take(), budget.take()]).toEqual([true, false]);
    budget.earn(3);
    expect([budget.take(), budget.take()]).toEqual([true, false]);
  });

  test("never holds more than a hundred repetitions", () => {
    const budget = makeRetryBudget();
    for (let call = 0; call < 1_000; call++) budget.earn(1);
    let taken = 0;
    while (budget.take()) taken++;
    expect(taken).toBe(100);
  });
});

describe("an outage", () => {
  const overHttp = (status: number) => Object.assign(new ConnectionError("no", { code: "HTTP_STATUS", fate: "unknown" }), { status });
  const own = (code: string) => new ConnectionError("no", { code, fate: "not-sent" });

  test.each<readonly [string, WarmlineError]>([
    ...["CONNECT_FAILED", "CONNECT_TIMEOUT", "CONNECTION_LOST", "BAD_RESPONSE"].map((code) => [code, own(code)] as const),
    ...["53300", "57P01", "57P02", "57P03", "58000"].map((code) => [code, refused(code, "FATAL")] as const),
    ["a login for which there is no slot", new DatabaseError({ message: "no", code: "53300" }, { fate: "not-sent" })],
    ["a pooler's 08P01 that ends the connection", refused("08P01", "FATAL")],
    ...[429, 500, 502, 503, 504].map((status) => [`status ${status}`, overHttp(status)] as const),
    ["a compute that cannot be woken", Object.assign(refused("XX000"), { status: 500 })],
  ])("is %s", (_, error) => {
    expect([isOutage(error), isUnavailable(error)]).toEqual([true, true]);
  });

  test.each<readonly [string, WarmlineError]>([
    ...["TLS_FAILED", "PASSWORD_FAILED", "REDIRECT_REFUSED"].map((code) => [code, own(code)] as const),
    ...["23505", "40001", "42P01", "53100", "57014", "28P01", "3D000"].map((code) => [code, refused(code)] as const),
    ["a wrong number of parameters, which is 08P01 too", refused("08P01")],
    ["what a function raises itself", refused("57P03")],
    [
      "a parameter a pooler does not take at login",
      new DatabaseError({ message: "no", code: "08P01", severity: "FATAL" }, { fate: "not-sent", retryable: false }),
    ],
    ...[400, 401, 402, 403, 404, 413, 507].map((status) => [`status ${status}`, overHttp(status)] as const),
  ])("is not %s", (_, error) => {
    expect([isOutage(error), isUnavailable(error)]).toEqual([false, false]);
  });

  test("is not a login that came too fast, and yet no answer can be had: the same code of a statement is its own failure", () => {
    const login = new DatabaseError({ message: "no", code: "53400", severity: "FATAL" }, { fate: "not-sent" });
    expect([isOutage(login), isUnavailable(login)]).toEqual([false, true]);
    expect([isOutage(refused("53400")), isUnavailable(refused("53400"))]).toEqual([false, false]);
  });

  test.each(["CIRCUIT_OPEN", "QUEUE_FULL", "ACQUIRE_TIMEOUT", "DEADLINE_EXCEEDED"])("is not %s, and yet no answer can be had", (code) => {
    expect([isOutage(own(code)), isUnavailable(own(code))]).toEqual([false, true]);
  });
});
