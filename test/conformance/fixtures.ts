/** The objects the cases use, for a schema that is empty. */
export const fixtures = `
  create type mood as enum ('sad', 'so-so', 'happy');
  create type pair as (number int, word text);
  create domain positive as int constraint positive_check check (value > 0);
  create domain label as text not null;
  create type odd_mood as enum ('a,b', 'c "d"', 'NULL', '', 'e\\f', '{x}');
  create domain tiny as positive check (value < 10);
  create domain day as date;
  create domain moods as mood[];
  create domain numbers as int[];
  create domain area as box;
  create type span as range (subtype = float8, multirange_type_name = spans);
  create table person (
    id int constraint person_key primary key,
    name text not null constraint person_name_unique unique,
    age int constraint person_age_check check (age >= 0),
    boss int constraint person_boss_reference references person deferrable initially immediate
  );
  insert into person values (1, 'Ada', 36, null), (2, 'Grace', 85, 1), (3, 'Edsger', 72, 1);
  create table item (id int generated always as identity, word text, amount numeric default 1);
  create table ledger (entry int);
  create table counter (id int primary key, value int not null);
  create table empty_table ();
  create table shelf (
    id int, word varchar(5) default 'none', letters char(3), tags text[], data jsonb, mood mood, at timestamptz, bytes bytea, pair pair,
    "odd "" name" int
  );
  create sequence tries_of_a_claimed_query;
  create sequence tries_of_a_query;
  create sequence tries_of_a_batch;
  create function slow_at_first(tries regclass) returns int language plpgsql as $$
    begin
      if nextval(tries) = 1 then perform pg_sleep(600); end if;
      return currval(tries);
    end $$;
  create procedure add_entry(entry int) language sql as $$ insert into ledger values (entry) $$;
  create procedure double_it(inout number int) language plpgsql as $$ begin number := number * 2; end $$;
  create table kept (word text);
  create procedure keep_and_conflict(word text) language plpgsql as $$
    begin insert into kept values (word); commit; raise exception 'a conflict' using errcode = '40001'; end $$;
  create procedure keep_and_sleep(word text) language plpgsql as $$
    begin insert into kept values (word); commit; perform pg_sleep(600); end $$;
  create function outlive_its_cancel() returns void language plpgsql as $$
    begin perform pg_sleep(2); exception when query_canceled then null; end $$;
  create function fail_with_everything() returns void language plpgsql as $$
    begin
      raise exception using errcode = 'WL001', message = 'the message', detail = 'the detail', hint = 'the hint', column = 'the column',
        constraint = 'the constraint', datatype = 'the type', table = 'the table', schema = 'the schema';
    end $$;
  create function say(word text) returns text language plpgsql as $$ begin raise notice 'said: %', word; return word; end $$;
  create function warn(number int) returns int language plpgsql as $$
    begin raise warning 'careful' using errcode = '01ABC', detail = 'the detail', hint = 'the hint'; return number; end $$;
  create function say_at_commit() returns trigger language plpgsql as $$ begin raise notice 'at the end'; return null; end $$;
  create table told (entry int);
  create constraint trigger told_at_commit after insert on told deferrable initially deferred for each row execute function say_at_commit();
  create function fail_inside() returns void language plpgsql as $$ begin execute 'select nonsense from'; end $$;
  create function fail_with(code text) returns void language plpgsql as $$ begin raise exception 'asked for' using errcode = code; end $$;
`;
