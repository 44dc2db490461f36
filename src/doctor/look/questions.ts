/** What the server is asked: one read-only statement for each piece, in the order in which they matter. */
export const questions = {
  limits: `
    select coalesce(max(reset_val) filter (where name = 'statement_timeout'), '0')::float8 as statement_timeout,
      coalesce(max(reset_val) filter (where name = 'idle_in_transaction_session_timeout'), '0')::float8 as idle_in_transaction,
      coalesce(max(reset_val) filter (where name = 'default_transaction_read_only'), 'off') as read_only,
      max(setting) filter (where name = 'max_connections')::int4 as max_connections,
      coalesce(sum(setting::int4) filter (where name in ('superuser_reserved_connections', 'reserved_connections')), 0)::int4 as reserved,
      (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user) as role_limit,
      (select nullif(datconnlimit, -1) from pg_database where datname = current_database()) as database_limit
    from pg_settings
    where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'default_transaction_read_only', 'max_connections',
      'superuser_reserved_connections', 'reserved_connections')`,

  role: `select rolsuper as superuser, rolbypassrls as bypasses_rls from pg_roles where rolname = current_user`,

  // what is hidden has no state; user and application are shown to everybody
  activity: `
    select pid, usename::text as "user", coalesce(application_name, '') as application, state,
      extract(epoch from state_change)::float8 * 1000 as state_since, extract(epoch from xact_start)::float8 * 1000 as transaction_since,
      extract(epoch from query_start)::float8 * 1000 as statement_since, extract(epoch from clock_timestamp())::float8 * 1000 as now,
      case when wait_event_type = 'Lock' then pg_blocking_pids(pid) else '{}' end as blocked_by, pid = pg_backend_pid() as own,
      query = '<insufficient privilege>' as hidden
    from pg_stat_activity where datid is not null and usesysid is not null and coalesce(backend_type, 'client backend') = 'client backend'`,

  advisoryLocks: `
    select distinct a.pid, coalesce(a.application_name, '') as application, a.state, extract(epoch from a.state_change)::float8 * 1000 as state_since,
      extract(epoch from clock_timestamp())::float8 * 1000 as now
    from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.granted and a.state = 'idle' and a.pid <> pg_backend_pid()`,

  replicationSlots: `
    select slot_name::text as name, active, pg_wal_lsn_diff(
      case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, restart_lsn)::float8 as kept_bytes
    from pg_replication_slots where not temporary`,

  databaseAges: `
    select datname::text as name, age(datfrozenxid)::float8 as transactions, mxid_age(datminmxid)::float8 as multixacts
    from pg_database where datallowconn`,

  sequences: `
    select d.refobjid::regclass::text || '.' || quote_ident(a.attname) as column,
      case a.atttypid when 21 then 'smallint' else 'integer' end as type,
      case when has_sequence_privilege(s.oid, 'usage, select') then pg_sequence_last_value(s.oid)::float8 end as last,
      case a.atttypid when 21 then 32767 else 2147483647 end as most,
      not has_sequence_privilege(s.oid, 'usage, select') as hidden
    from pg_class s
    join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.oid and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
    join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
    where s.relkind = 'S' and a.atttypid in (21, 23) and (s.relpersistence = 'p' or (s.relpersistence = 'u' and not pg_is_in_recovery()))`,

  invalidIndexes: `
    select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as table, '' as columns
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where not i.indisvalid and c.relkind = 'i'
      and not exists (select from pg_stat_progress_create_index p where p.index_relid = i.indexrelid or p.relid = i.indrelid
        -- what another role is building is there, and hidden
        or (p.relid is null and p.datname = current_database()))`,

  bareForeignKeys: `
    select quote_ident(c.conname) as name, c.conrelid::regclass::text as table,
      (select string_agg(quote_ident(a.attname), ', ' order by k.place) from unnest(c.conkey) with ordinality k (attnum, place)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns
    from pg_constraint c
    where c.contype = 'f' and c.conparentid = 0 and not exists (
      select from pg_index i where i.indrelid = c.conrelid and i.indisvalid
        -- what deletes looks for never is null
        and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) in (
          select format('(%I IS NOT NULL)', a.attname) from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)))
        and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.conrelid and d.deptype = 'e')`,

  exposedTables: `
    select c.oid::regclass::text as table, array_agg(r.rolname::text order by r.rolname) as roles
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_roles r on r.rolname in ('anon', 'authenticated')
    where c.relkind in ('r', 'p') and not c.relrowsecurity and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
      and has_schema_privilege(r.oid, n.oid, 'usage') and has_table_privilege(r.oid, c.oid, 'select, insert, update, delete')
    group by c.oid`,
} as const;

/** The pieces of evidence that are asked for. */
export type Question = keyof typeof questions;
