import { describe, expect, test } from "vitest";
import { redactSecrets, redactValues } from "../../../src/errors/redact.ts";

const redact = (message: string, values: readonly (string | null)[], sqlState = "P0001") => redactValues(message, { values, sqlState });

describe("a server's message", () => {
  test.each([
    ["a value wherever it stands", "no anna@example.com here", ["anna@example.com"], "no [redacted] here"],
    ["a value in any case", 'relation "secret_name" does not exist', ["Secret_Name"], 'relation "[redacted]" does not exist'],
    ["a value with characters that mean something to a pattern", "no a+b(c)[d]|$^\\ here", ["a+b(c)[d]|$^\\"], "no [redacted] here"],
    ["an item of an array", "no anna\\here", ['{"bert","anna\\\\here"}'], "no [redacted]"],
    ["a text inside JSON", 'no "anna" here', ['{"name":"anna"}'], 'no "[redacted]" here'],
    ["a value cut off as a name", `no ${"x".repeat(63)} here`, ["x".repeat(80)], "no [redacted] here"],
    ["a short value in quotes", 'no "ab" and no (ab)', ["ab"], 'no "[redacted]" and no ([redacted])'],
  ])("loses %s", (_, message, values, expected) => {
    expect(redact(message, values)).toBe(expected);
  });

  test.each([
    ["words that hold a short value", "no table here", ["ab"]],
    ["what nobody sent", 'duplicate key value violates unique constraint "users_pkey"', ["anna", null, ""]],
  ])("keeps %s", (_, message, values) => {
    expect(redact(message, values)).toBe(message);
  });

  test("loses everything in quotes when it reports bad data, whatever it was derived from", () => {
    expect(redact('invalid input syntax for type integer: "anna"', [], "22P02")).toBe(
      'invalid input syntax for type integer: "[redacted]"',
    );
  });
});

test("a driver's message loses credentials in URLs, tokens and the secrets that are known", () => {
  expect(redactSecrets("cannot open https://user:secret@host/path")).toBe("cannot open https://[redacted]@host/path");
  expect(redactSecrets("sent password=hunter2&x=1")).toBe("sent password=[redacted]&x=1");
  expect(redactSecrets("sent Bearer abc.def")).not.toContain("abc.def");
  expect(redactSecrets("p/w, in a URL p%2Fw", ["p/w"])).toBe("[redacted], in a URL [redacted]");
});
