import { expect, test } from "vitest";
import { transactionControl } from "../../src/syntax/transaction-control.ts";

test.each([
  ["begin", "BEGIN"],
  ["START TRANSACTION", "START"],
  ["commit work", "COMMIT"],
  ["End", "END"],
  ["abort;", "ABORT"],
  ["savepoint a", "SAVEPOINT"],
  ["release a", "RELEASE"],
  ["rollback/**/prepared 'x'", "ROLLBACK"],
  ["commit prepared 'x'", "COMMIT"],
  [";commit", "COMMIT"],
  ["; ; /* x */ begin", "BEGIN"],
  ["-- x\rcommit", "COMMIT"],
  ["/* /* */ ; */;\f\v--\r\n;rollback", "ROLLBACK"],
  ["PREPARE/**/TRANSACTION 'x'", "PREPARE TRANSACTION"],
  ["prepare -- x\rtransaction 'x'", "PREPARE TRANSACTION"],
  ['begin"x"', "BEGIN"],
])("%j is control", (text, command) => {
  expect(transactionControl(text)).toBe(command);
});

test.each([
  "",
  ";",
  "/*",
  "select 1",
  "select 1; commit",
  "beginning",
  "begin$",
  "begin_",
  "begin1",
  "commité",
  "commıt",
  "\u00a0begin",
  "\ufeffbegin",
  '"begin"',
  "'\\'; commit",
  "(commit)",
  "prepare transactions as select 1",
  'prepare "transaction" as select 1',
  "prepare p as select 1",
  "set transaction read write",
  "-- x\u2028commit",
  "/* */ */ commit",
])("%j is none", (text) => {
  expect(transactionControl(text)).toBeUndefined();
});
