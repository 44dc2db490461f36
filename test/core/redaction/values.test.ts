import { describe, expect, test } from "vitest";
import type { DatabaseError, ServerReport } from "../../../src/errors/database-error.ts";
import { redactSecrets } from "../../../src/errors/redact.ts";
import { serverError } from "../../../src/errors/server-error.ts";
import { exchangeFailure } from "../../../src/transports/failure.ts";

interface Told extends Partial<ServerReport> {
  readonly text?: string;
  readonly values?: readonly (string | null)[];
}

function told(message: string, { text = "select f($1)", values = [], ...report }: Told): DatabaseError {
  const context = { fate: "refused", sent: { statements: [{ text, values }] } } as const;
  return serverError({ message, code: "P0001", severity: "ERROR", routine: "exec_stmt_raise", ...report }, context);
}

const own = { code: "42P01", routine: "parserOpenTable" };

describe("a server's message", () => {
  test.each<[string, string, Told, string]>([
    ["a value wherever it stands", "no anna@example.com here", { values: ["anna@example.com"] }, "no [redacted] here"],
    [
      "a value in any case",
      'relation "secret_name" does not exist',
      { ...own, values: ["Secret_Name"] },
      'relation "[redacted]" does not exist',
    ],
    ["what is quoted, whatever it was made of", 'no "anna" here', {}, 'no "[redacted]" here'],
    ["what is quoted in other marks", "no 'anna', no «bert» here", {}, "no '[redacted]', no «[redacted]» here"],
    ["a value with marks of its own", 'no "a" b "c" here', {}, 'no "[redacted]" here'],
    ["a mark that is never closed", 'no "anna here', {}, 'no "[redacted]"'],
    [
      "a value with characters that mean something to a pattern",
      "no a+b(c)[d]|$^\\ here",
      { values: ["a+b(c)[d]|$^\\"] },
      "no [redacted] here",
    ],
    ["an item of an array", "no anna\\here", { values: ['{"bert","anna\\\\here"}'] }, "no [redacted]"],
    ["an escaped text inside JSON", "no café, no anna", { values: ['{"a":"caf\\u00e9","b":"\\nanna"}'] }, "no [redacted], no [redacted]"],
    [
      "three characters and fewer",
      "no abc, no ab, no (q)",
      { values: ["abc", "ab", "q"] },
      "no [redacted], no [redacted], no ([redacted])",
    ],
    ["three characters inside a word", "no IDabcX here", { values: ["abc"] }, "no [redacted] here"],
    ["numbers, with their signs", "no +15, -3.5 or 7", {}, "no [redacted], [redacted] or [redacted]"],
    ["a value cut off as a name", `no ${"x".repeat(63)} here`, { values: ["x".repeat(80)] }, "no [redacted] here"],
    [
      "a name that a function put into SQL",
      "function anna(integer) does not exist",
      { ...own, code: "42883", internalQuery: "select anna(1)" },
      "function [redacted]) does not exist",
    ],
    [
      "a name with too many dots",
      "improper relation name (too many dotted names): a.b.c.d",
      { ...own, code: "42601" },
      "improper relation name (too many dotted names): [redacted]",
    ],
    [
      "a name that is read from a value and pointed into",
      'type "anna" does not exist',
      { ...own, position: "1", where: 'invalid type name "anna"' },
      'type "[redacted]" does not exist',
    ],
  ])("loses %s", (_, message, context, expected) => {
    expect(told(message, context).message).toBe(expected);
  });

  test.each<[string, string, Told]>([
    ["words that hold a short value", "no table here", { values: ["ab"] }],
    ["small words that a value has too", "this is not for the user", { values: ["not for this, that is the other"] }],
    [
      "names in the error's own fields",
      'duplicate key value violates unique constraint "users_pkey"',
      { code: "23505", routine: "_bt_check_unique", constraint: "users_pkey", where: "SQL function" },
    ],
    [
      "Postgres' own words, though a value has them",
      'duplicate key value violates unique constraint "k"',
      { code: "23505", routine: "_bt_check_unique", values: ['{"key":"value","unique":"duplicate"}'] },
    ],
    ["what the text has", 'relation "nosuch" does not exist', { ...own, text: "select * from public.NoSuch" }],
    [
      "what points into the text",
      "function größe(integer) does not exist",
      { ...own, code: "42883", text: "select größe(1)", position: "8" },
    ],
    [
      "a setting's range",
      '5 is outside the valid range for parameter "work_mem" (64 kB .. 2147483647 kB)',
      { code: "22023", routine: "parse_and_validate_value", text: "set local work_mem = 5" },
    ],
  ])("keeps %s", (_, message, context) => {
    expect(told(message, context).message).toBe(message);
  });

  test.each<[string, string, Told, string]>([
    [
      "German",
      "Relation »nosuch« existiert nicht",
      { code: "42P01", severity: "FEHLER", routine: "parserOpenTable", text: "select * from nosuch", position: "15" },
      "undefined table",
    ],
    [
      "French",
      "la valeur « anna » est en dehors des limites du type integer",
      { code: "22003", severity: "ERREUR", routine: "pg_strtoint32_safe" },
      "numeric value out of range",
    ],
    ["Spanish, which says ERROR too", "no existe el operador: anna", { code: "42883", routine: "regoperin" }, "undefined function"],
    ["Spanish with its letters", "división por cero", { code: "22012", routine: "int4div" }, "division by zero"],
    [
      "Japanese, which says ERROR too",
      'リレーション"anna"は存在しません',
      { code: "42P01", routine: "parserOpenTable" },
      "undefined table",
    ],
    [
      "Russian",
      'ошибочный литерал массива: "anna"',
      { code: "22P02", severity: "ОШИБКА", routine: "array_in" },
      "invalid text representation",
    ],
    ["a condition of no name", "ungültig", { code: "22P03", severity: "FEHLER", routine: "recv" }, "data exception"],
    ["a class of no name", "ungültig", { code: "10608", severity: "FEHLER", routine: "xpath" }, "refused by the server"],
    [
      "a function, which nobody translates",
      "Kunde nicht gefunden für anna",
      { severity: "FEHLER", values: ["anna"] },
      "Kunde nicht gefunden für [redacted]",
    ],
  ])("is the condition's name in English where the server speaks %s", (_, message, context, expected) => {
    expect(told(message, context).message).toBe(expected);
  });

  test("in another language is told by the severity, also where that is read for its meaning", () => {
    const report = Object.assign(new Error("numero non valido"), { code: "22003", severity: "ERRORE", routine: "pg_strtoint32_safe" });
    const sent = {
      work: "autocommit",
      phase: "answered",
      status: undefined,
      statements: [{ text: "select $1::int", values: ["anna"] }],
    } as const;
    const context = { ...sent, prelude: 0, answers: [], pooled: false, farewell: undefined };
    expect(exchangeFailure({ kind: "refused", report, ready: true }, context)).toMatchObject({
      message: "numeric value out of range",
      severity: "ERROR",
    });
  });

  test("of a megabyte, about values of a megabyte, is read once", () => {
    const letters = Array.from({ length: 1_000_000 }, (_, at) => "abcdefghij klm\"n'".charAt((at * at + (at >> 3)) % 17)).join("");
    const started = performance.now();
    for (const message of [letters, '"'.repeat(1_000_000), "'".repeat(1_000_000), "a ".repeat(500_000), " '(".repeat(300_000)]) {
      for (const report of [{}, { ...own, internalQuery: "select" }]) {
        const error = told(message, { ...report, values: [letters, letters], text: letters });
        expect(error.message.length).toBeLessThan(10_000);
      }
    }
    // ten of them; what is not linear takes minutes
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("of a function leaves the names it gives readable, and shows them nowhere", () => {
    const error = told("no", { constraint: "anna", table: "anna" });
    expect(error).toMatchObject({ constraint: "anna", table: "anna" });
    expect(JSON.stringify(error)).not.toContain("anna");
    expect(Object.keys(told("no", { ...own, constraint: "users_pkey" }))).toContain("constraint");
  });
});

test("a driver's message loses credentials in URLs, tokens and the secrets that are known", () => {
  expect(redactSecrets("cannot open https://user:secret@host/path")).toBe("cannot open https://[redacted]@host/path");
  expect(redactSecrets("sent password=hunter2&x=1")).toBe("sent password=[redacted]&x=1");
  expect(redactSecrets("sent Bearer abc.def")).not.toContain("abc.def");
  expect(redactSecrets("p/w, in a URL p%2Fw", ["p/w"])).toBe("[redacted], in a URL [redacted]");
});
