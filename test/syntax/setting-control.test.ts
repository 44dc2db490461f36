import { describe, expect, test } from "vitest";
import { isLocalSetting, settingControl } from "../../src/syntax/setting-control.ts";

const controlling: readonly (readonly [text: string, by: string])[] = [
  ["reset role", "RESET"],
  ["/* a */ ; RESET ALL", "RESET"],
  ["reset app.tenant", "RESET"],
  ["discard all", "DISCARD"],
  ["do $$ begin reset role; end $$", "DO"],
  ["-- why\nDO LANGUAGE plpgsql 'begin end'", "DO"],
  ["set role none", "SET"],
  ["set role other", "SET"],
  ["set session role other", "SET"],
  ["set session authorization default", "SET"],
  ["set app.tenant = 'b'", "SET"],
  ["set work_mem = '1MB'", "SET"],
  ["set local role none", "SET LOCAL"],
  ["set/**/local/**/role/**/other", "SET LOCAL"],
  ["set local role = other", "SET LOCAL"],
  ["set local role to other", "SET LOCAL"],
  ['set local "role" = other', "SET LOCAL"],
  ['set local U&"\\0072ole" = other', "SET LOCAL"],
  ["set local session authorization other", "SET LOCAL"],
  ["set local session_authorization = other", "SET LOCAL"],
  ["set local app.tenant = 'b'", "SET LOCAL"],
  ["set local \"app.tenant\" = 'b'", "SET LOCAL"],
  ["set local app . tenant to 'b'", "SET LOCAL"],
  ["set local Search_Path = b", "SET LOCAL"],
  ["set local schema 'b'", "SET LOCAL"],
  ["set local time zone 'UTC'", "SET LOCAL"],
  ["set local timezone = 'UTC'", "SET LOCAL"],
  ["set local statement_timeout = 0", "SET LOCAL"],
  ["set local lock_timeout from current", "SET LOCAL"],
  ["set local Client_Encoding = 'GBK'", "SET LOCAL"],
  ["set local client_encoding to utf8", "SET LOCAL"],
  ["select set_config('role', 'none', true)", "set_config"],
  ["select set_config($1, $2, true)", "set_config"],
  ["select Pg_Catalog . SET_CONFIG ('ro' || 'le', 'none', true)", "set_config"],
  [`select "set_config"('app.tenant', 'b', true)`, "set_config"],
  [`select pg_catalog."set_config"/**/('app.tenant', 'b', true)`, "set_config"],
  ["insert into t values (set_config('app.tenant', 'b', true))", "set_config"],
  ["declare c cursor for select set_config('app.tenant', 'b', true)", "set_config"],
  ["explain analyze select set_config('app.tenant', 'b', true)", "set_config"],
  ["create function f() returns text language sql begin atomic select set_config('role', 'none', true); end", "set_config"],
  [`select U&"\\0073et_config"('role', 'none', true)`, 'A name as U&"…"'],
  [`select u&"!0073et_config" uescape '!'('role', 'none', true)`, 'A name as U&"…"'],
  ["update pg_settings set setting = 'b' where name = 'search_path'", "UPDATE pg_settings"],
  ["update app.pg_catalog.pg_settings set setting = 'b'", "UPDATE pg_settings"],
  ['update "app" . "pg_catalog" . "pg_settings" as s set setting = \'b\'', "UPDATE pg_settings"],
  ["update only (pg_settings) set setting = 'b'", "UPDATE pg_settings"],
  ["update only (app.pg_catalog.pg_settings) set setting = 'b'", "UPDATE pg_settings"],
  ["select app.pg_catalog.set_config('role', 'none', true)", "set_config"],
  ["select E'\\'', set_config('role', 'none', true)", "set_config"],
  ["select 'a\\', set_config('role', 'none', true), '", "set_config"],
  ["select 1; reset role", "RESET"],
];

const harmless: readonly string[] = [
  "select current_setting('app.tenant', true)",
  "select set_config from configs",
  "select other.set_config('role', 'none', true)",
  "select 'set_config(', $$ reset role $$",
  "select * from pg_settings",
  "update t set a = 1 where b = 2",
  "update other.pg_settings set a = 1",
  "update app.other.pg_settings set a = 1",
  "update t set a = (select setting from pg_settings limit 1)",
  "insert into t values (1) on conflict do nothing",
  "insert into t values (1) on conflict (a) do update set a = 2",
  "set transaction isolation level serializable",
  "set transaction read only",
  "set constraints all deferred",
  "set transaction_read_only = on",
  "set local work_mem = '1MB'",
  "set local synchronous_commit to off",
  "select reset, do_it from t",
  "call work()",
  "update u set a = u&'\\0061'",
];

describe("a text that could change the settings it stands under is told", () => {
  test.each(controlling)("%s: %s", (text, by) => {
    expect(settingControl(text)).toBe(by);
  });

  test.each(harmless)("%s: no", (text) => {
    expect(settingControl(text)).toBeUndefined();
  });
});

describe("a transaction can be put under", () => {
  test.each(["app.tenant", "request.jwt.claims", "App.Tenant_$1", "search_path", "TimeZone", "STATEMENT_TIMEOUT", "lock_timeout"])(
    "%s",
    (name) => {
      expect(isLocalSetting(name)).toBe(true);
    },
  );

  test.each([
    ...[
      "",
      "role",
      "session_authorization",
      "row_security",
      "transaction_read_only",
      "work_mem",
      ".a",
      "a.",
      "a..b",
      "a.b c",
      "a.b'",
      'a."b"',
    ],
    ...["1a.b", "a.1b", "a.b-c", "a.b\n", "ä.b", "app.tenant, role"],
  ])("not %j", (name) => {
    expect(isLocalSetting(name)).toBe(false);
  });
});
