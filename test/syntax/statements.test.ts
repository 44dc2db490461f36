import { describe, expect, test } from "vitest";
import { command, statements } from "../../src/syntax/statements.ts";

const commands = (text: string, backslashes = false) => statements(text, { backslashes }).map(command);

describe("the statements of a text, by their commands", () => {
  test.each<[string, readonly string[]]>([
    ["", []],
    [" ; ;/* x */;-- y", []],
    ["select 1", ["SELECT"]],
    ["select 1; insert into t values (';');;commit", ["SELECT", "INSERT", "COMMIT"]],
    ["(select 1); values (1)", ["(", "VALUES"]],
    ["prepare/**/transaction 'x'; prepare p as select 1", ["PREPARE TRANSACTION", "PREPARE"]],
    [
      "commit prepared 'x'; rollback to a; rollback prepared 'x'; rollback",
      ["COMMIT PREPARED", "ROLLBACK TO", "ROLLBACK PREPARED", "ROLLBACK"],
    ],
    ["\"commit\"; 'end'", ['"commit"', "'end'"]],
    ["create rule r as on insert to t do also (delete from u; select 1); commit", ["CREATE", "COMMIT"]],
    ["create function f() returns int begin atomic select case when true then 1 end as end; select 2; end; call p()", ["CREATE", "CALL"]],
    ["create or replace procedure p() begin atomic end; call p()", ["CREATE", "CALL"]],
    ["create function begin(begin int) returns int as 'x' language sql; call p()", ["CREATE", "CALL"]],
    ["begin; atomic; begin atomic; call p()", ["BEGIN", "ATOMIC", "BEGIN", "CALL"]],
    ["commıt; ſelect 1", ["COMMıT", "ſELECT"]],
    ["select '\\'; commit; --'", ["SELECT", "COMMIT"]],
  ])("%j", (text, expected) => {
    expect(commands(text)).toEqual(expected);
  });

  test("where backslashes escape", () => {
    expect(commands("select '\\'; commit; --'", true)).toEqual(["SELECT"]);
    expect(commands("select '\\'; commit; --'\n'; end", true)).toEqual(["SELECT"]);
  });
});
