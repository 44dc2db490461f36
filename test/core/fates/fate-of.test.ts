import { describe, expect, test } from "vitest";
import { ConnectionError, type Fate, fateOf, UsageError } from "../../../src/entry/node.ts";

const failed = (fate: Fate) => new ConnectionError("The connection was lost.", { code: "CONNECTION_LOST", fate });
const circular = new Error("outer", { cause: new Error("inner") });
(circular.cause as Error).cause = circular;
const hostile = new Proxy(new Error("hostile"), {
  get() {
    throw new Error("no");
  },
});
const refused = failed("refused");
const told = Object.assign(new Error("pg's"), { code: "23505", fate: "refused", retryable: false });
const wraps: readonly (readonly [string, unknown])[] = [
  ["itself", refused],
  ["a cause", new Error("query failed", { cause: refused })],
  ["causes within causes", new Error("1", { cause: new Error("2", { cause: new TypeError("3", { cause: refused }) }) })],
  ["an AggregateError", new AggregateError([new Error("other"), refused])],
  ["an AggregateError in a cause", new Error("all", { cause: new AggregateError([new Error("each", { cause: refused })]) })],
  ["pg's own error, as a pool rejects with it", new Error("query failed", { cause: told })],
  ["TypeORM's driverError", Object.assign(new Error("QueryFailedError"), { driverError: refused })],
  ["MikroORM's previous", Object.assign(new Error("DriverException"), { previous: refused })],
  ["Prisma's meta", Object.assign(new Error("P2010"), { meta: { driverAdapterError: new Error("adapter", { cause: refused }) } })],
  ["a circle with it in it", Object.assign(new Error("a"), { cause: circular, errors: [circular, refused] })],
  ["what throws beside it", new AggregateError([hostile, refused])],
];

test("a message ends with its fate in words; where nobody knows, with what to do", () => {
  expect(failed("not-sent").message).toBe("The connection was lost. Nothing was sent.");
  expect(failed("unknown").message).toBe("The connection was lost. It may have been done: look before you repeat it.");
});

describe("fateOf", () => {
  test.each(wraps)("finds the fate through %s", (_, error) => {
    expect(fateOf(error)).toBe("refused");
  });

  test.each([
    ["an error of another package", new Error("other", { cause: new Error("another") })],
    ["a circle", circular],
    ["what throws when it is looked at", hostile],
    ["no error", "refused"],
    ["nothing", undefined],
    ["an error with a fate of its own kind", Object.assign(new Error("theirs"), { fate: "sealed", retryable: true })],
    ["what only looks like one", { code: "X", fate: "refused", retryable: true }],
  ])("knows none of %s", (_, error) => {
    expect(fateOf(error)).toBeUndefined();
  });

  test("lets the outermost error speak for what it wraps", () => {
    const whole = new ConnectionError("lost", { code: "CONNECTION_LOST", fate: "unknown", cause: refused });
    expect(fateOf(new Error("wrapped", { cause: whole }))).toBe("unknown");
  });

  test.each([
    [["not-sent", "refused"], "refused"],
    [["refused", "applied", "not-sent"], "applied"],
    [["applied", "unknown", "refused"], "unknown"],
  ] as const)("promises no more of %j than %s", (fates, expected) => {
    expect(fateOf(new AggregateError(fates.map(failed)))).toBe(expected);
  });

  test("finds its end in a chain of any length", () => {
    let error: Error = new UsageError("wrong", { code: "CLOSED" });
    for (let depth = 0; depth < 1_000; depth++) error = new Error("again", { cause: error });
    expect(fateOf(error)).toBe("not-sent");
  });
});
