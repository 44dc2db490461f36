import { describe, expect, test } from "vitest";
import { fateOfSqlState } from "../../../src/errors/sqlstate.ts";
import { exchangeFailure } from "../../../src/transports/failure.ts";
import { connectFailure } from "../../../src/transports/pool/connect-failure.ts";
import type { ExchangePhase } from "../../../src/transports/transport.ts";

const direct = { pooled: false, completed: false, severity: "ERROR" };
const pooled = { ...direct, pooled: true };

describe("the fate a SQLSTATE tells", () => {
  test.each([
    ["a violated constraint", "23505", direct, "refused"],
    ["the same, behind a pooler and after a command", "23505", { ...pooled, completed: true }, "refused"],
    ["a serialization failure", "40001", direct, "refused"],
    ["a cancelled statement", "57014", direct, "refused"],
    ["a server that shuts down", "57P01", { ...direct, severity: "FATAL" }, "refused"],
    ["the same after a command completed", "57P01", { ...direct, severity: "FATAL", completed: true }, "unknown"],
    ["a panic after a command completed", "22000", { ...direct, severity: "PANIC", completed: true }, "unknown"],
    ["an error after a command completed: the Sync's own", "23503", { ...direct, completed: true }, "refused"],
    ["a crash", "57P02", { ...direct, severity: "FATAL" }, "unknown"],
    ["a broken protocol", "08P01", direct, "unknown"],
    ["a lost connection", "08006", pooled, "unknown"],
    ["a system error, direct", "58030", direct, "refused"],
    ["a system error, behind a pooler", "58000", pooled, "unknown"],
    ["an internal error, direct", "XX000", direct, "refused"],
    ["an internal error, behind a pooler", "XX000", pooled, "unknown"],
    ["no severity", "42601", { ...direct, completed: true, severity: undefined }, "refused"],
  ] as const)("%s", (_, sqlState, context, fate) => {
    expect(fateOfSqlState(sqlState, context)).toBe(fate);
  });
});

describe("the fate a lost exchange tells", () => {
  const statements = [{ text: "insert", values: [] }];
  const lost = (sent: boolean, phase: ExchangePhase) =>
    exchangeFailure(new Error("gone"), { sent, completed: 0 }, { statements, phase, pooled: false, prelude: 0 }).fate;

  test.each([
    ["autocommit", "unknown"],
    ["open", "refused"],
    ["commit", "unknown"],
  ] as const)("%s: not-sent before a byte was written, afterwards %s", (phase, fate) => {
    expect([lost(false, phase), lost(true, phase)]).toEqual(["not-sent", fate]);
  });

  test("a server's answer while a transaction is open is refused, whatever it says", () => {
    const failure = Object.assign(new Error("server conn crashed?"), { severity: "FATAL", code: "08P01" });
    const fate = (phase: ExchangePhase) =>
      exchangeFailure(failure, { sent: true, completed: 0 }, { statements, phase, pooled: true, prelude: 0 }).fate;
    expect([fate("open"), fate("commit"), fate("autocommit")]).toEqual(["refused", "unknown", "unknown"]);
  });

  test("a code of the operating system is no answer of the server's", () => {
    const failure = Object.assign(new Error("write"), { code: "EPIPE" });
    const error = exchangeFailure(failure, { sent: true, completed: 0 }, { statements, phase: "autocommit", pooled: false, prelude: 0 });
    expect(error).toMatchObject({ code: "CONNECTION_LOST", fate: "unknown" });
  });

  test("nothing is sent before the login ends, and some refusals come again", () => {
    const context = { where: "db:5432", secrets: [], passwordIsFunction: false };
    const say = (code: string, message = "no") => connectFailure(Object.assign(new Error(message), { severity: "FATAL", code }), context);
    const comesAgain = (code: string) => say(code).retryable;
    const [lasting, passing] = [
      ["28P01", "28000", "3D000", "42704", "0A000", "08P01"],
      ["53300", "57P03", "08000", "08001", "08004", "08006"],
    ];
    expect(new Set([...lasting, ...passing].map((code) => say(code).fate))).toEqual(new Set(["not-sent"]));
    expect([lasting.filter(comesAgain), passing.filter(comesAgain)]).toEqual([[], passing]);
    // PgBouncer says both with one SQLSTATE
    expect(say("08P01", "no more connections allowed (max_client_conn)").retryable).toBe(true);
    expect(say("08P01", "unsupported startup parameter: options").retryable).toBe(false);
  });
});
