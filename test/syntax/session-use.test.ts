import { describe, expect, test } from "vitest";
import { type SessionUseKind, sessionUse } from "../../src/syntax/session-use.ts";

const used: readonly (readonly [text: string, kind: SessionUseKind, by?: string])[] = [
  ["set work_mem = '1MB'", "setting", "SET"],
  ["  -- why\n/* a /* b */ c */ SET session statement_timeout = 1", "setting"],
  ["-- x\rset a.b = 1", "setting"],
  ["; ;\tset\n\ttime zone 'UTC'", "setting"],
  ["/**/set/**/role none", "setting"],
  ["set session authorization default", "setting"],
  ["set session characteristics as transaction read only", "setting"],
  ["set default_transaction_read_only = off", "setting"],
  ['set "local" = 1', "setting"],
  ["reset all", "setting", "RESET"],
  ["select set_config('app.user', $1, false)", "setting", "set_config"],
  ["select set_config('app.user', $1, $2)", "setting"],
  ["select set_config('app.user', 'x', not true)", "setting"],
  ["select SET_CONFIG(concat('a', '.b'), array['x, true'][1], false)", "setting"],
  ["select set_config(is_local => true, setting_name => 'a.b', new_value => 'c')", "setting"],
  ["select pg_catalog.set_config('a.b', 'c', false)", "setting"],
  [`select "set_config"('a.b', 'c', false)`, "setting"],
  ["select set_config('a.b', 'c', true), set_config('a.b', 'd', false)", "setting"],
  ["update pg_settings set setting = 'x' where name = 'search_path'", "setting", "UPDATE pg_settings"],
  ['explain analyze update only "pg_catalog" . Pg_Settings set setting = 1', "setting"],
  ["update only (app.pg_catalog.pg_settings) set setting = 1", "setting"],
  ["with a as (select 1) update pg_catalog.pg_settings as s set setting = 1 from a", "setting"],
  ["update t set a = set_config('a.b', 'c', false)", "setting"],
  ["create table t as select set_config('a.b', 'c', false)", "setting"],
  ["select pg_advisory_lock(1)", "lock", "pg_advisory_lock"],
  ["select 1 where pg_try_advisory_lock_shared (1, 2)", "lock"],
  ["select pg_advisory_unlock_all()", "lock"],
  ["with a as materialized (select Pg_Advisory_Lock(1)) select * from a", "lock"],
  ["select E'\\'', pg_advisory_lock(1)", "lock"],
  ["select 'a\\', pg_advisory_lock(1), '", "lock"],
  ["copy (select pg_advisory_lock(1)) to program 'true'", "lock"],
  ["create temp table t (id int)", "temporary"],
  ["create local temporary table t (id int) on commit delete rows", "temporary"],
  ["create or replace temp view v as select 1", "temporary"],
  ["create temporary sequence s", "temporary"],
  ["create table pg_temp.t (id int)", "temporary"],
  ['create function "pg_temp" . f() returns int language sql as $$ select 1 $$', "temporary"],
  ["select 1 as a into temp t", "temporary"],
  ["select 1 as a into table pg_temp.t", "temporary"],
  ["with a as (select 1) select * into local temporary table t from a", "temporary"],
  ["explain analyze create temp table t as select 1", "temporary"],
  ["prepare p as select 1", "prepared", "PREPARE"],
  ["execute p", "prepared", "EXECUTE"],
  ["explain (analyze, verbose) execute p(1)", "prepared", "EXECUTE"],
  ["deallocate all", "prepared", "DEALLOCATE"],
  ["declare c no scroll cursor with hold for select 1", "cursor", "DECLARE"],
  ["load 'auto_explain'", "library", "LOAD"],
  ["discard plans", "everything", "DISCARD"],
  ["listen orders", "listening", "LISTEN"],
  ["unlisten *", "listening", "UNLISTEN"],
  ["copy t to stdout", "copying", "COPY TO STDOUT"],
  ["copy (select 1 from t) to stdin with (format csv)", "copying"],
  ["select 1; set work_mem = '1MB'", "setting"],
  ["begin; listen a", "listening"],
];

describe("a text that uses its session beyond its transaction is told", () => {
  test.each(used.map(([text, kind, by]) => ({ text, kind, by })))("$text: $kind", ({ text, kind, by }) => {
    expect(sessionUse(text)).toMatchObject({ kind, ...(by && { by }) });
  });
});

const unused: readonly string[] = [
  ...["", ";", "'", '"', "$$", "/*", "select", "select 1", "select $1::int"],
  ...[
    "set local statement_timeout = 1",
    "SET/**/LOCAL role x",
    "set transaction isolation level serializable",
    "set constraints all deferred",
    "set transaction_read_only = off",
  ],
  ...["select set_config('app.user', $1, true)", "select set_config((select 'a.b'), coalesce($1, ''), TRUE)"],
  ...[
    "select app.set_config('a', 'b', false)",
    'select "SET_CONFIG"(1)',
    "select set_config from t",
    "select my_set_config('a', 'b', false)",
  ],
  ...["select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)", "select app.pg_advisory_lock(1)"],
  ...["grant execute on function pg_advisory_lock(bigint) to public", "comment on function set_config(text, text, boolean) is 'x'"],
  ...["create view v as select pg_advisory_lock(1)", "create function f() returns void language sql as $$ select pg_advisory_lock(1) $$"],
  ...["create temp table t (id int) on commit drop", "create temporary table t on commit drop as select 1"],
  ...["create table temp (id int)", "create table t (temp int)", "insert into temp values (1)", "select temp from temporary"],
  ...["with a as (insert into temp values (1) returning *) select * from a", "insert into pg_temp.t values (1)", "table pg_temp.t"],
  ...["prepare transaction 'x'", "declare c cursor for select 1", "declare c cursor without hold for select 1", "fetch c", "close all"],
  ...["copy t from stdin", "copy t to '/tmp/x'", "copy (select 1 as \"to\") to program 'cat'", "copy t (load, listen) from stdout"],
  ...["update t set load = 1, listen = 2", "update t\nset a = 1", "insert into t values (1) on conflict (id) do update\n set a = 1"],
  ...["select execute, prepare, discard, declare from t", "notify orders", "lock table t", "vacuum t", "show work_mem", "begin", "commit"],
  ...["select 'set x; listen a', E'it\\'s pg_advisory_lock(', $$ listen a; $$, $q$ nextval($$) $q$", 'select "listen" from "set"'],
  ...["do $$ begin perform pg_advisory_lock(1); end $$", "call locks()", "alter role x set work_mem = '1MB'", "alter system reset all"],
  ...["select 1 -- ; set a = 1", "/* \nset a = 1 */ select 1", "select 1 /* pg_advisory_lock(1) */"],
];

describe("a text that does not is left alone", () => {
  test.each(unused)("%j", (text) => {
    expect(sessionUse(text)).toBeUndefined();
  });
});

test("a text of any length is read in a time that grows with it", () => {
  for (const piece of ["\n", "; ", "set_config(", "/* ", "(", "'", "set ", "\n set", "copy ", "explain (", "pg_temp."]) {
    const startedAt = performance.now();
    sessionUse(piece.repeat(20_000));
    expect(performance.now() - startedAt).toBeLessThan(500);
  }
});
