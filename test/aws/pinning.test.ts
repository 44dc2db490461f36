import { describe, expect, test } from "vitest";
import { PINNING_BYTES, pinningReporter, pinReason } from "../../src/aws/pinning.ts";

const reasonFor = (text: string) => pinReason(text, Buffer.byteLength(text));

describe("a statement that pins is told with its reason", () => {
  test.each([
    ["set search_path to app", "SET"],
    ["  -- why\n/* a /* b */ c */ SET session statement_timeout = 1", "SET"],
    ["set\n\ttime zone 'UTC'", "SET"],
    ["reset all", "RESET"],
    ["prepare p as select 1", "PREPARE"],
    ["execute p", "EXECUTE"],
    ["deallocate all", "DEALLOCATE"],
    ["discard all", "DISCARD"],
    ["create temp table t (id int)", "temporary"],
    ["create or replace local temporary view v as select 1", "temporary"],
    ["create temporary sequence s", "temporary"],
    ["select 1 as a into temp t", "temporary"],
    ["with a as (select 1) select * into temporary table t from a", "temporary"],
    ["declare c cursor for select 1", "DECLARE"],
    ["listen orders", "LISTEN"],
    ["load 'auto_explain'", "LOAD"],
    ["select nextval('ids')", "sequence"],
    ["insert into t values (pg_catalog.nextval('ids'))", "sequence"],
    ["select setval ('ids', 1)", "sequence"],
    ["select pg_advisory_lock(1)", "advisory"],
    ["select 1 where pg_try_advisory_lock_shared(1, 2)", "advisory"],
    ["select pg_advisory_unlock_all()", "advisory"],
    ["select set_config('app.user', $1, false)", "set_config"],
    ["select set_config('app.user', $1, $2)", "set_config"],
    ["select set_config(concat('a', '.b'), array['x, true'][1], false)", "set_config"],
    ["select 1; set work_mem = '1MB'", "SET"],
  ])("%s", (text, words) => {
    expect(reasonFor(text)).toContain(words);
  });

  test("over 16 KB of text, by its bytes", () => {
    const text = `select '${"ü".repeat((PINNING_BYTES - 9) / 2)}'`;
    expect(Buffer.byteLength(text)).toBe(PINNING_BYTES - 1);
    expect(reasonFor(text)).toBeUndefined();
    expect(reasonFor(`${text} `)).toBeUndefined();
    expect(reasonFor(`${text}  `)).toContain("16 KB");
  });
});

describe("a statement that does not pin is left alone", () => {
  test.each([
    "",
    ";",
    "select 1",
    "select $1::int",
    "set local statement_timeout = 1",
    "set transaction isolation level serializable",
    "set constraints all deferred",
    "select set_config('app.user', $1, true)",
    "select set_config((select 'a.b'), coalesce($1, ''), TRUE)",
    "prepare transaction 'x'",
    "select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)",
    "create table temp (id int)",
    "create table t (temp int)",
    "insert into temp values (1)",
    "with a as (insert into temp values (1) returning *) select * from a",
    "select 'set x; select nextval(''a'')', E'it\\'s nextval(', $$ listen a; $$, $q$ nextval($$) $q$",
    'select "nextval" from "set"',
    "select nextval from t -- nextval('a')",
    "select /* nextval('a') /* ; set x = 1 */ */ 1",
    "update t set load = 1, listen = 2",
    "select execute from t",
    "notify orders",
    "'",
    '"',
    "$$",
    "/*",
  ])("%s", (text) => {
    expect(reasonFor(text)).toBeUndefined();
  });
});

test("a reporter says each reason once, and never the statement", () => {
  const said: string[] = [];
  const report = pinningReporter((message) => said.push(message));
  for (const text of ["set app.user = 'canary'", "set app.user = 'second'", "select 1", "listen canary"]) report(text);
  expect(said).toHaveLength(2);
  expect(said[0]).toContain("SET LOCAL");
  expect(said[1]).toContain("LISTEN");
  expect(said.join()).not.toContain("canary");
});
