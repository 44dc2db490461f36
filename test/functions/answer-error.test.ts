import { describe, expect, it } from "vitest";
import { CancelledError, ConfigError, ConnectionError, DatabaseError, DecodeError, UsageError } from "warmline";
import { problemOf } from "../../functions/answer-error.ts";

const fromServer = (code: string) => new DatabaseError({ message: "canary message", code }, { fate: "refused" });

describe("the answer to a failure", () => {
  it.each([
    ["a connection lost while the statement ran", new ConnectionError("canary", { code: "CONNECTION_LOST", fate: "unknown" })],
    ["a queue that was too long", new ConnectionError("canary", { code: "ACQUIRE_TIMEOUT", fate: "not-sent", retryable: true })],
    ["a deadline that passed", new CancelledError("canary", { code: "DEADLINE_EXCEEDED", fate: "unknown" })],
    ["a handle that is closed", new UsageError("canary", { code: "CLOSED" })],
    ["too many connections", fromServer("53300")],
    ["a full disk", fromServer("53100")],
    ["a server that shuts down", fromServer("57P01")],
    ["a server that starts", fromServer("57P03")],
    ["a statement that took too long", fromServer("57014")],
    ["a serialization failure", fromServer("40001")],
    ["a deadlock", fromServer("40P01")],
  ])("is 503 with Retry-After for %s", (_title, error) => {
    const { status, headers, body } = problemOf(error);
    expect([status, headers["Retry-After"], body.error.code]).toEqual([503, "1", "UNAVAILABLE"]);
    expect(JSON.stringify(body)).not.toContain("canary");
  });

  it("asks the caller to wait until the circuit breaker lets a call try, in whole seconds", () => {
    const open = new ConnectionError("canary", { code: "CIRCUIT_OPEN", fate: "not-sent", retryable: true });
    const retryAfter = (retryAfterMs: number) => problemOf(Object.assign(open, { retryAfterMs })).headers["Retry-After"];
    expect([retryAfter(20), retryAfter(500), retryAfter(1_200)]).toEqual(["1", "1", "2"]);
    expect(problemOf(open).status).toBe(503);
  });

  it.each([
    ["a table that is not there", fromServer("42P01")],
    ["a dropped database", fromServer("57P04")],
    ["a violated constraint", fromServer("23514")],
    ["a wrong setting", new ConfigError("canary", { code: "INVALID_SETTING", setting: "url" })],
    ["a wrong call", new UsageError("canary", { code: "UNDEFINED_VALUE" })],
    ["an answer that could not be read", new DecodeError("canary", { code: "DECODE_FAILED", fate: "applied" })],
    ["a bug of our own", new TypeError("canary")],
    ["a thrown text", "canary"],
  ])("is 500 for %s, and tells nothing of it", (_title, error) => {
    const { status, headers, body } = problemOf(error);
    expect([status, headers, body]).toEqual([
      500,
      {},
      { error: { code: "INTERNAL", message: "The server failed to answer this request." } },
    ]);
  });
});
