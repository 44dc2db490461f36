import { describe, expect, test } from "vitest";
import { type FreshnessLimits, judge, type Life, type Verdict } from "../../../src/transports/pool/freshness.ts";

const now = 1_800_000_000_000;
const hourMs = 3_600_000;

/** A connection an hour old that was used `idleMs` ago, with no limit known and nothing suspected. */
function verdict(idleMs: number, given: Partial<FreshnessLimits & Life & { readonly suspectSince: number }> = {}): Verdict {
  const { connectedAt = now - hourMs, jitter = 0, serverIdleMs = null, lifetimeMs = 0, suspectSince = 0 } = given;
  return judge({ connectedAt, usedAt: now - idleMs, jitter }, { serverIdleMs, lifetimeMs }, { now, suspectSince });
}

describe("a connection is", () => {
  test.each([
    [0, "use"],
    [999, "use"],
    [1_000, "ask"],
    [24 * hourMs, "ask"],
  ] as const)("judged by the time since its last use: after %i ms, %s", (idleMs, expected) => {
    expect(verdict(idleMs)).toBe(expected);
  });

  test.each([
    [599_999, "ask"],
    [600_000, "replace"],
  ] as const)("replaced without asking once the other end has closed it: after %i of 600,000 ms, %s", (idleMs, expected) => {
    expect(verdict(idleMs, { serverIdleMs: 600_000 })).toBe(expected);
  });

  test("replaced even if it was used this moment, where the other end keeps nothing", () => {
    expect(verdict(0, { serverIdleMs: 0 })).toBe("replace");
  });

  test.each([
    [hourMs - 1, 0, "use"],
    [hourMs, 0, "replace"],
    [0.9 * hourMs - 1, 1, "use"],
    [0.9 * hourMs, 1, "replace"],
    [0.95 * hourMs - 1, 0.5, "use"],
    [0.95 * hourMs, 0.5, "replace"],
  ] as const)(
    "replaced at the end of its life, less up to a tenth: %i ms old with a share of chance of %f, %s",
    (ageMs, jitter, expected) => {
      expect(verdict(0, { lifetimeMs: hourMs, connectedAt: now - ageMs, jitter })).toBe(expected);
    },
  );

  test("never too old where no lifetime is set", () => {
    expect(verdict(0, { connectedAt: 0, jitter: 1 })).toBe("use");
  });

  test.each([
    [500, now - 501, "use"],
    [500, now - 500, "use"],
    [500, now - 499, "ask"],
  ] as const)("asked when another was found dead after its last use, %i ms ago", (idleMs, suspectSince, expected) => {
    expect(verdict(idleMs, { suspectSince })).toBe(expected);
  });

  test.each([1, 999, hourMs])("asked when the clock was set back by %i ms since its last use", (backMs) => {
    expect(verdict(-backMs)).toBe("ask");
  });

  test("not taken for old when the clock was set back behind its beginning", () => {
    expect(verdict(0, { lifetimeMs: hourMs, connectedAt: now + hourMs })).toBe("use");
  });
});
