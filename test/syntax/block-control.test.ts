import { expect, test } from "vitest";
import { blockControl } from "../../src/syntax/block-control.ts";

test.each([
  ["begin", "opens"],
  ["/* commit */ start transaction read only", "opens"],
  ["begin; select 1; commit", "opens"],
  ["commit and chain", "opens"],
  ["-- rollback\nROLLBACK WORK AND/* no */CHAIN", "opens"],
  ["end transaction and chain", "opens"],
  ["abort and chain", "opens"],
  ["commit", "closes"],
  ["End Work -- and chain", "closes"],
  ["abort", "closes"],
  ["rollback transaction and no chain", "closes"],
  ["prepare transaction 'and chain'", "closes"],
  ["savepoint chain", "keeps"],
  ["release savepoint a", "keeps"],
  ["rollback to a", "keeps"],
  ["rollback work to savepoint a", "keeps"],
  ["commit prepared 'x'", "keeps"],
  ["rollback /* */ prepared 'x'", "keeps"],
  ["select 1", undefined],
  ["prepare p as select 1", undefined],
])("%j: %s", (text, left) => {
  expect(blockControl(text)).toBe(left);
});
