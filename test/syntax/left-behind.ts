import { Client, DatabaseError } from "pg";
import type { PostgresServer } from "../support/postgres/server.ts";

/**
 * What the statements of the tables work on. `doing()` inserts and then fails; with `test.fail` on, every DDL command that tells event
 * triggers fails when it has done its work, and so does whatever reads `shaky`'s index.
 */
const ground = `
  create table marker (id int);
  create function doing() returns int language plpgsql as $$ begin insert into public.marker values (1); raise 'undone'; end $$;
  create function doing_trigger() returns trigger language plpgsql as $$ begin insert into marker values (2); raise 'undone'; end $$;
  create procedure p() language plpgsql as $$ begin insert into marker values (3); commit; raise 'too late'; end $$;
  create function fail_late() returns event_trigger language plpgsql as $$
    begin if current_setting('test.fail', true) = 'on' then raise 'undone'; end if; end $$;
  create event trigger late on ddl_command_end execute function fail_late();
  create function shaky(int) returns int immutable language plpgsql as $$
    begin if current_setting('test.fail', true) = 'on' then raise 'undone'; end if; return $1; end $$;
  create table t (id int, n int default 0, constraint t_id unique (id) deferrable initially deferred);
  insert into t values (1), (2);
  create table touched (id int);
  create trigger late after insert or update or delete or truncate on touched for each statement execute function doing_trigger();
  create table twins (id int);
  insert into twins values (1), (1);
  create view doing_view as select doing();
  create materialized view doing_lazily as select doing() with no data;
  create table many (id int) partition by range (id);
  create table few partition of many for values from (0) to (10);
  create table a_firm (id int);
  insert into a_firm select generate_series(1, 1000);
  create index a_firm_i on a_firm (id);
  alter table a_firm cluster on a_firm_i;
  create table b_shaky (id int);
  insert into b_shaky select generate_series(1, 1000);
  create index b_shaky_i on b_shaky (shaky(id));
  alter table b_shaky cluster on b_shaky_i;
  create schema two;
  do $$ begin if to_regrole('somebody') is null then create role somebody; end if; end $$;
  create type mood as enum ('glad');
  create extension postgres_fdw;
  create server far foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1');
  create user mapping for current_user server far;`;

/** All that a statement could leave, in the database, the cluster, the data folder and the session, a line each. */
const everything = `
  select 'row of marker ' || id as line from marker
  union all select 'row of t ' || t::text from t
  union all select format('relation %s %s %s %s %s', relname, relkind, relfilenode, relacl, relowner) from pg_class where relnamespace <> 'pg_catalog'::regnamespace
  union all select format('index %s %s', indexrelid::regclass, indisvalid) from pg_index where indexrelid >= 16384
  union all select format('column %s %s', attrelid::regclass, attname) from pg_attribute where attrelid >= 16384 and not attisdropped
  union all select format('function %s %s %s', oid::regprocedure, proacl, prosrc) from pg_proc where oid >= 16384
  union all select format('type %s %s', oid::regtype, typacl) from pg_type where oid >= 16384
  union all select 'label ' || enumlabel from pg_enum
  union all select format('partition %s %s', inhrelid::regclass, inhdetachpending) from pg_inherits
  union all select format('comment %s %s', objoid, description) from pg_description where objoid >= 16384
  union all select format('role %s %s', rolname, rolconfig) from pg_roles
  union all select format('database %s %s', datname, datacl) from pg_database
  union all select 'tablespace ' || spcname from pg_tablespace
  union all select 'subscription ' || subname from pg_subscription
  union all select 'statistics of ' || starelid::regclass from pg_statistic where starelid >= 16384
  union all select 'file setting ' || name from pg_file_settings
  union all select 'prepared transaction ' || gid from pg_prepared_xacts
  union all select 'file ' || name from pg_ls_dir('.') as name
  union all select format('prepared %s', name) from pg_prepared_statements where name <> ''
  union all select format('cursor %s', name) from pg_cursors where name <> ''
  union all select format('listening %s', name) from pg_listening_channels() as name
  union all select format('setting %s %s', name, setting) from pg_settings where name in ('work_mem', 'role', 'default_transaction_read_only')
  order by 1`;

/** What became of a text that failed. */
export interface Aftermath {
  /** The SQLSTATE; undefined where it did not fail. */
  readonly code: string | undefined;
  /** Lines that came and lines that went. */
  readonly left: readonly string[];
}

/** A database that is made of the ground. */
export async function layGround(server: PostgresServer, database: string): Promise<void> {
  await using client = await open(server.url());
  await client.query(`create database ${database}`);
  await using owner = await open(server.url(database));
  await owner.query(ground);
}

/** Runs `text` outside a transaction block, in a session of its own, and looks at what is left of it. */
export async function runAlone(url: string, text: string, before = ""): Promise<Aftermath> {
  await using client = await open(url);
  await client.query(`set test.fail = on; ${before}`);
  const look = async () => new Set((await client.query<{ line: string }>(everything)).rows.map(({ line }) => line));
  const then = await look();
  let code: string | undefined;
  try {
    await client.query(text);
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    ({ code } = error);
  }
  await client.query("rollback");
  const now = await look();
  return { code, left: [...[...now].filter((line) => !then.has(line)), ...[...then].filter((line) => !now.has(line))] };
}

async function open(connectionString: string): Promise<Client & AsyncDisposable> {
  const client = new Client({ connectionString });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}
