import type { Row } from "../../src/database/sql.ts";

/** What a session can leave on its connection, by how it is set; `N` stands for a number of the caller's. */
export const traces: readonly string[] = [
  "set work_mem = '321kB'",
  "set search_path = pg_catalog",
  "set time zone 'Asia/Kathmandu'",
  "set statement_timeout = 54321",
  "set application_name = 'trace N'",
  "set app.trace = 'N'",
  "set session characteristics as transaction isolation level serializable, read only",
  "select set_config('lock_timeout', 'N', false)",
  "set role pg_monitor",
  "set session authorization pg_monitor",
  "do $$ begin set lock_timeout = N; perform pg_advisory_lock(N); end $$",
  "do $$ begin execute 'listen trace_N'; end $$",
  'do $$ begin execute \'prepare "hidden ""N" as select 1\'; end $$',
  "do $$ begin create temporary table if not exists hidden_N (n int); end $$",
  "select pg_advisory_lock(N)",
  "select pg_try_advisory_lock_shared(1, N)",
  "create temporary table trace_N (id serial)",
  "create temporary view seen_N as select 1 as n",
  "create sequence pg_temp.numbers_N",
  "select nextval('pg_temp.numbers_N')",
  'prepare "trace N" as select $1::int',
  "deallocate all",
  "declare held_N cursor with hold for select 1",
  "discard temp",
  "discard sequences",
  "discard all",
  "reset all",
];

/** One row of everything of it that can be seen in a session. A library that was loaded stays, with its settings: here that of DO. */
export const LOOK = `select
  (select json_agg(name || ' ' || setting order by name) from pg_settings where source = 'session') as settings,
  (select md5(string_agg(name || ' ' || setting, ',' order by name)) from pg_settings where name not like 'plpgsql.%') as all_settings,
  current_user::text as who, session_user::text as login, current_schemas(false)::text as schemas, current_setting('TimeZone') as zone,
  coalesce(current_setting('app.trace', true), '') as own,
  (select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()) as locks,
  (select count(*)::int from pg_listening_channels()) as channels,
  (select count(*)::int from pg_prepared_statements where from_sql) as prepared,
  (select count(*)::int from pg_cursors where is_holdable) as cursors,
  (select count(*)::int from pg_class where relnamespace = pg_my_temp_schema()) as temporary,
  current_setting('default_transaction_isolation') as isolation, current_setting('default_transaction_read_only') as reads`;

/** The one row that `LOOK` gave. */
export function seen(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row === undefined) throw new Error("Nothing was seen.");
  return row;
}
