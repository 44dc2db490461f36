-- The user the functions sign in as. Run it after schema.sql, as the database's owner; running it again changes nothing.
-- On RDS and Aurora the user signs in with IAM tokens and nothing else: who has rds_iam is asked for no password.

do $$
begin
  if not exists (select from pg_roles where rolname = 'warmline_app') then
    create role warmline_app login;
  end if;
  -- RDS makes this role when IAM authentication is on. Elsewhere the user needs a password of its own.
  if exists (select from pg_roles where rolname = 'rds_iam') then
    grant rds_iam to warmline_app;
  else
    raise notice 'There is no role rds_iam here: turn IAM authentication on, or give warmline_app a password.';
  end if;
end
$$;

-- RDS Proxy passes no CancelRequest on: this is what ends a statement its caller has given up.
alter role warmline_app set statement_timeout = '15s';
alter role warmline_app set idle_in_transaction_session_timeout = '30s';

-- What the demo does, and no more: it neither deletes nor changes the schema, and of a product it sells it changes the stock only.
grant usage on schema public to warmline_app;
grant select, update (stock) on products to warmline_app;
grant select, insert on orders, order_lines to warmline_app;
