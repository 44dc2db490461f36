import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { requestScope } from "../../src/adapters/hono.ts";
import { closeOnShutdown } from "../../src/adapters/lambda.ts";
import { ConnectionError, fateOf, isWarmlineError } from "../../src/entry/node.ts";
import { type KeepOptions, type Kept, keep } from "../../src/keep/keep.ts";

/** A thing that knows whether it was closed. */
class Thing {
  closed = false;
}

/** Keeps things under a key of its own, and tells which were made. */
function keepThings(options: KeepOptions<Thing> = {}, key: string = randomUUID()) {
  const made: Thing[] = [];
  const create = async () => {
    const thing = new Thing();
    made.push(thing);
    return thing;
  };
  const close = (thing: Thing) => {
    thing.closed = true;
  };
  return { key, made, create, kept: keep(key, create, { close, ...options }) };
}

async function errorOf(promise: Promise<unknown>): Promise<{ readonly code?: string; readonly cause?: unknown; readonly message: string }> {
  return await promise.then(
    () => expect.fail("it succeeded"),
    (error) => error,
  );
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("one instance", () => {
  test("is created by the first of a hundred calls at once, and given to all of them and to later ones", async () => {
    const { kept, made } = keepThings();
    const given = await Promise.all(Array.from({ length: 100 }, () => kept()));
    expect(new Set([...given, await kept(), await kept.use((thing) => thing)])).toEqual(new Set(made));
    expect(made).toHaveLength(1);
  });

  test("is shared by every evaluation of the module that keeps it", async () => {
    vi.resetModules();
    const copy = await import("../../src/keep/keep.ts");
    expect(copy.keep).not.toBe(keep);
    const { kept, key, create } = keepThings();
    const thing = await kept();
    expect(await copy.keep(key, create, { fingerprint: "another" })()).not.toBe(thing);
    expect(await kept()).toBe(await copy.keep(key, create, { fingerprint: "another" })());
  });

  test("is created no sooner than it is called for, also by a function that is not async", async () => {
    const create = vi.fn(() => 42);
    const kept = keep(randomUUID(), create);
    expect(create).not.toHaveBeenCalled();
    expect(await kept()).toBe(42);
  });
});

describe("a creation that fails", () => {
  test.each<[string, () => Promise<never>]>([
    ["throws", () => expect.fail("down")],
    ["rejects", () => Promise.reject(new Error("down"))],
    ["rejects with nothing", () => Promise.reject()],
  ])("because it %s is told to all who wait, once, and not kept", async (_, fail) => {
    let isDown = true;
    const create = vi.fn(() => (isDown ? fail() : Promise.resolve("up")));
    const kept = keep(randomUUID(), create);
    const errors = await Promise.all(Array.from({ length: 100 }, () => errorOf(kept())));
    expect(create).toHaveBeenCalledTimes(1);
    expect(errors).toHaveLength(100);
    expect(errors[0]).toMatchObject({ code: "CREATE_FAILED", fate: "not-sent", retryable: true, name: "ConnectionError" });
    isDown = false;
    expect(await kept()).toBe("up");
  });

  test("is an error of this package, with the first as its cause and nothing of it in the message", async () => {
    const cause = new Error("password s3cret refused");
    const error = await errorOf(keep("orders", () => Promise.reject(cause))());
    expect(error).toBeInstanceOf(ConnectionError);
    expect([isWarmlineError(error), fateOf(error)]).toEqual([true, "not-sent"]);
    expect(error.cause).toBe(cause);
    expect(error.message).toContain("orders");
    expect(error.message).not.toContain("s3cret");
  });

  test("because it hangs ends after its time, and what it makes later is closed", async () => {
    const slow = Promise.withResolvers<Thing>();
    const create = vi.fn().mockReturnValueOnce(slow.promise).mockResolvedValue(new Thing());
    const close = vi.fn();
    const kept = keep(randomUUID(), create, { close, createTimeoutMs: 3_000 });
    const failed = errorOf(kept());
    await vi.advanceTimersByTimeAsync(2_999);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await failed).toMatchObject({ code: "CREATE_TIMEOUT", retryable: true });
    const fresh = await kept();
    const late = new Thing();
    slow.resolve(late);
    await vi.advanceTimersByTimeAsync(0);
    expect(close.mock.calls).toEqual([[late]]);
    expect(await kept()).toBe(fresh);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test.each([2 ** 31, Number.POSITIVE_INFINITY])(
  "a limit of %d ms, longer than any timer's, is none that is over at once",
  async (limitMs) => {
    const slow = Promise.withResolvers<Thing>();
    const judged = Promise.withResolvers<boolean>();
    const kept = keep(randomUUID(), () => slow.promise, {
      isFresh: () => judged.promise,
      createTimeoutMs: limitMs,
      checkTimeoutMs: limitMs,
    });
    const first = kept();
    await vi.advanceTimersByTimeAsync(60_000);
    const thing = new Thing();
    slow.resolve(thing);
    expect(await first).toBe(thing);
    const second = kept();
    await vi.advanceTimersByTimeAsync(60_000);
    judged.resolve(true);
    expect(await second).toBe(thing);
  },
);

describe("a creation that asks for what it creates", () => {
  test("is one creation, whose thing is given to it, too", async () => {
    let own: Promise<Thing> | undefined;
    const create = vi.fn(() => {
      own = kept();
      return new Thing();
    });
    const kept: Kept<Thing> = keep(randomUUID(), create);
    const thing = await kept();
    expect(await own).toBe(thing);
    expect(create).toHaveBeenCalledTimes(1);
  });

  test("and waits for it ends in CREATE_TIMEOUT, for both", async () => {
    let inner: Promise<unknown> | undefined;
    const create = vi.fn(() => {
      inner = errorOf(kept());
      return inner;
    });
    const kept: Kept<unknown> = keep(randomUUID(), create, { createTimeoutMs: 100 });
    const outer = errorOf(kept());
    await vi.advanceTimersByTimeAsync(100);
    expect([await outer, await inner]).toMatchObject([{ code: "CREATE_TIMEOUT" }, { code: "CREATE_TIMEOUT" }]);
    expect(create).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("or judges, is judged once", async () => {
    const isFresh = vi.fn(() => {
      kept().catch(() => {});
      return true;
    });
    const kept: Kept<Thing> = keep(randomUUID(), () => new Thing(), { isFresh });
    await kept();
    await kept();
    expect(isFresh).toHaveBeenCalledTimes(1);
  });
});

describe("what errors say of the key", () => {
  test.each<[string, string]>([
    ["an address", "mysql://root:s3cret@db.internal/orders?password=s3cret"],
    ["several", "a=mysql://root:s3cret@one,mysql://root:s3cret@two"],
  ])("which is %s, is no more than what it begins with", async (_, key) => {
    const { message } = await errorOf(keep(key, () => Promise.reject(new Error("down")))());
    expect(message).toMatch(/^keep\(.*mysql:\): CREATE_FAILED/);
    expect(message).not.toMatch(/s3cret|root|internal/);
  });

  test("which is a symbol, against its type, is its description", async () => {
    const { message } = await errorOf(keep(Symbol("pool") as unknown as string, () => Promise.reject(new Error("down")))());
    expect(message).toContain("keep(Symbol(pool)): CREATE_FAILED");
  });

  test.each(["", "__proto__", "constructor", "toString"])("%j is a key as any other", async (key) => {
    const { kept, made } = keepThings({}, key);
    expect(await kept()).toBe(made[0]);
    await kept.close();
    expect(made[0]?.closed).toBe(true);
  });
});

test("what comes too late and cannot be closed is a rejection to nobody", async () => {
  const slow = Promise.withResolvers<Thing>();
  const close = vi.fn(() => Promise.reject(new Error("no")));
  const failed = errorOf(keep(randomUUID(), () => slow.promise, { close, createTimeoutMs: 10 })());
  await vi.advanceTimersByTimeAsync(10);
  expect(await failed).toMatchObject({ code: "CREATE_TIMEOUT" });
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  slow.resolve(new Thing());
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect([close.mock.calls.length, unhandled.mock.calls.length]).toEqual([1, 0]);
});

describe("freshness", () => {
  test("is asked by the wall clock: how long it was idle, and how old it is", async () => {
    const isFresh = vi.fn(() => true);
    const { kept } = keepThings({ isFresh });
    await kept();
    vi.setSystemTime(Date.now() + 60_000);
    await kept();
    vi.setSystemTime(Date.now() + 5_000);
    await kept();
    expect(isFresh.mock.calls.map(([, age]: unknown[]) => age)).toEqual([
      { idleMs: 60_000, ageMs: 60_000 },
      { idleMs: 5_000, ageMs: 65_000 },
    ]);
  });

  test("is told of a clock that was set back as of one that went on", async () => {
    const { kept, made } = keepThings({ isFresh: (_, { idleMs }) => idleMs < 1_000 });
    await kept();
    vi.setSystemTime(Date.now() - 3_600_000);
    await kept();
    expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("is told an age that a clock which was set back does not shorten", async () => {
    const ages: number[] = [];
    const { kept } = keepThings({ isFresh: (_, { ageMs }) => ages.push(ageMs) > 0 });
    await kept();
    for (const change of [50, -40, 50]) {
      vi.setSystemTime(Date.now() + change * 60_000);
      await kept();
    }
    expect(ages.map((ms) => ms / 60_000)).toEqual([50, 90, 140]);
  });

  test.each<[string, KeepOptions<Thing>["isFresh"]]>([
    ["false", () => false],
    ["false, later", async () => false],
    ["an error", () => expect.fail("no")],
    ["a rejection", () => Promise.reject(new Error("no"))],
  ])("that is answered by %s has it replaced, and closed", async (_, isFresh = () => true) => {
    let isStale = false;
    const { kept, made } = keepThings({ isFresh: (thing, age) => (isStale && thing === made[0] ? isFresh(thing, age) : true) });
    const first = await kept();
    isStale = true;
    const second = await kept();
    expect(second).not.toBe(first);
    expect([first.closed, second.closed]).toEqual([true, false]);
  });

  test("that is not answered in time has it replaced", async () => {
    const { kept, made } = keepThings({ isFresh: () => new Promise(() => {}), checkTimeoutMs: 100 });
    await kept();
    const second = kept();
    await vi.advanceTimersByTimeAsync(100);
    expect(await second).toBe(made[1]);
    expect(made[0]?.closed).toBe(true);
  });

  test("is asked once for a hundred calls at once", async () => {
    const isFresh = vi.fn(async () => true);
    const { kept, made } = keepThings({ isFresh });
    await kept();
    await Promise.all(Array.from({ length: 100 }, () => kept()));
    expect([isFresh.mock.calls.length, made.length]).toEqual([1, 1]);
  });
});

describe("who uses it", () => {
  test("has it until the work is done, though it is replaced meanwhile", async () => {
    let isStale = false;
    const { kept, made } = keepThings({ isFresh: (thing) => !isStale || thing !== made[0] });
    const work = Promise.withResolvers<string>();
    const using = kept.use(() => work.promise);
    await vi.advanceTimersByTimeAsync(0);
    isStale = true;
    expect(await kept()).toBe(made[1]);
    expect(made[0]?.closed).toBe(false);
    work.resolve("done");
    expect(await using).toBe("done");
    await vi.advanceTimersByTimeAsync(0);
    expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("fails with what the work throws, and gives it back", async () => {
    const { kept, made } = keepThings();
    const error = new Error("mine");
    expect(await errorOf(kept.use(() => Promise.reject(error)))).toBe(error);
    await kept.close();
    expect(made[0]?.closed).toBe(true);
  });
});

describe("a change", () => {
  const key = () => randomUUID();

  test("of the source of what creates it closes the old one, and every handle gives the new one", async () => {
    const name = key();
    const close = vi.fn();
    const older = keep(name, () => ({ limit: 1 }), { close });
    const old = await older();
    const newer = keep(name, () => ({ limit: 2 }), { close });
    await vi.advanceTimersByTimeAsync(0);
    expect(close.mock.calls).toEqual([[old]]);
    expect(await newer()).toEqual({ limit: 2 });
    expect(await older()).toBe(await newer());
  });

  test("of nothing changes nothing", async () => {
    const name = key();
    const evaluate = () => keep(name, () => new Thing());
    expect(await evaluate()()).toBe(await evaluate()());
  });

  test("of what it depends on is told by a fingerprint, whatever the source is", async () => {
    const name = key();
    const evaluate = (limit: number) => keep(name, () => ({ limit }), { fingerprint: String(limit) });
    expect(await evaluate(1)()).toBe(await evaluate(1)());
    expect(await evaluate(2)()).toEqual({ limit: 2 });
  });

  test("while it is judged gives nobody the old one", async () => {
    const name = key();
    const checked = Promise.withResolvers<boolean>();
    const older = keep(name, () => "old", { isFresh: () => checked.promise, fingerprint: "1" });
    await older();
    const waiting = older();
    const newer = keep(name, () => "new", { fingerprint: "2" });
    checked.resolve(true);
    expect([await waiting, await newer()]).toEqual(["new", "new"]);
  });

  test("while it is created gives nobody the old one, and closes it", async () => {
    const name = key();
    const slow = Promise.withResolvers<string>();
    const close = vi.fn();
    const older = keep(name, () => slow.promise, { close, fingerprint: "1" });
    const waiting = older();
    const newer = keep(name, () => "new", { close, fingerprint: "2" });
    slow.resolve("old");
    expect([await waiting, await newer()]).toEqual(["new", "new"]);
    await vi.advanceTimersByTimeAsync(0);
    expect(close.mock.calls).toEqual([["old"]]);
  });

  test("a hundred thousand times leaves nothing behind", async () => {
    const name = key();
    let open = 0;
    for (let count = 0; count < 100_000; count += 1) {
      const create = () => ++open;
      const kept = keep(name, create, { close: () => --open, fingerprint: `${count}` });
      await kept();
    }
    await vi.advanceTimersByTimeAsync(0);
    expect(open).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("closing", () => {
  test("ends it, and the next call creates another", async () => {
    const { kept, made } = keepThings();
    await kept();
    await kept.close();
    expect(made[0]?.closed).toBe(true);
    expect(await kept()).toBe(made[1]);
  });

  test("ends one that is being created, and does nothing where there is none", async () => {
    const { kept, made } = keepThings();
    await kept.close();
    expect(made).toEqual([]);
    const given = kept();
    await kept.close();
    expect(await given).toBe(made[0]);
    expect(made.map(({ closed }) => closed)).toEqual([true]);
  });

  test.each<[string, string, () => unknown]>([
    ["throws", "CLOSE_FAILED", () => expect.fail("no")],
    ["rejects", "CLOSE_FAILED", () => Promise.reject(new Error("no"))],
    ["hangs", "CLOSE_TIMEOUT", () => new Promise(() => {})],
  ])("that %s is told to who closes as %s, and to nobody where it is replaced", async (_, code, close) => {
    let isStale = false;
    const { kept, made } = keepThings({ close, isFresh: (thing) => !isStale || thing !== made[0] });
    await kept();
    isStale = true;
    expect(await kept()).toBe(made[1]);
    const closed = errorOf(kept.close());
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await closed).toMatchObject({ code, name: "ConnectionError" });
    expect(await kept()).toBe(made[2]);
  });

  test("is what closeOnShutdown does, beside databases", async () => {
    const { kept } = keepThings();
    await expect(closeOnShutdown(kept)).resolves.toBeUndefined();
  });
});

describe("a scope", () => {
  test("is in a process nothing but the work, also for Hono", async () => {
    const { kept, made } = keepThings();
    const waitUntil = vi.fn();
    expect(await kept.scope({ waitUntil }, () => kept())).toBe(made[0]);
    await requestScope(kept)({ executionCtx: { waitUntil } }, async () => void (await kept()));
    expect(made).toHaveLength(1);
    expect(made[0]?.closed).toBe(false);
    expect(waitUntil).not.toHaveBeenCalled();
  });
});

describe("on Vercel", () => {
  const place = Symbol.for("@vercel/request-context");
  const global = globalThis as { [place]?: unknown };
  let waitedFor: Promise<unknown>[];
  const serve = (more: object = {}) => {
    global[place] = { get: () => ({ waitUntil: (promise: Promise<unknown>) => void waitedFor.push(promise), ...more }) };
  };
  beforeEach(() => {
    waitedFor = [];
  });
  afterEach(() => void delete global[place]);

  test("an instance stays awake until the thing has gone unused for its time, and is closed", async () => {
    serve();
    const { kept, made } = keepThings();
    await kept();
    await vi.advanceTimersByTimeAsync(3_000);
    await kept();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(made[0]?.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(made[0]?.closed).toBe(true);
    await Promise.all(waitedFor);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("it stays as long as it is told, longer than any timer, or until its request ends", async () => {
    serve();
    const { kept, made } = keepThings({ idleMs: Number.POSITIVE_INFINITY });
    await kept();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(made[0]?.closed).toBe(false);
    serve({ deadline: new Date(Date.now() + 3_000).toISOString() });
    await kept();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(made[0]?.closed).toBe(true);
  });

  test("it is not closed while somebody uses it", async () => {
    serve();
    const { kept, made } = keepThings({ idleMs: 100 });
    const work = Promise.withResolvers<void>();
    const using = kept.use(() => work.promise);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(made[0]?.closed).toBe(false);
    work.resolve();
    await using;
    await vi.advanceTimersByTimeAsync(100);
    expect(made[0]?.closed).toBe(true);
  });

  test("one that was replaced takes nothing of the next along", async () => {
    serve();
    let isStale = false;
    const { kept, made } = keepThings({ isFresh: (thing) => !isStale || thing !== made[0] });
    const work = Promise.withResolvers<void>();
    const using = kept.use(() => work.promise);
    await vi.advanceTimersByTimeAsync(1_000);
    isStale = true;
    await kept();
    work.resolve();
    await using;
    await vi.advanceTimersByTimeAsync(4_000);
    await kept();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(made.map(({ closed }) => closed)).toEqual([true, false]);
  });

  test("it is closed a second before the platform ends the request", async () => {
    serve({ deadline: new Date(Date.now() + 3_000).toISOString() });
    const { kept, made } = keepThings();
    await kept();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(made[0]?.closed).toBe(true);
  });

  test("a request that is over keeps nothing awake, and fails nobody", async () => {
    serve({ waitUntil: () => expect.fail("over") });
    const { kept, made } = keepThings();
    expect(await kept()).toBe(made[0]);
  });
});
