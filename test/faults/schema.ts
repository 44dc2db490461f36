/** The table of all writes, and what commits or fails by itself. */
export const schema = `
  create table fault_writes (id text not null);
  create function fault_raise(_state text) returns void language plpgsql as $$
    begin raise exception 'raised on purpose' using errcode = _state; end $$;
  create function fault_outlive() returns void language plpgsql as $$
    begin
      for turn in 1..20 loop
        begin perform pg_sleep(0.1); exception when query_canceled then null; end;
      end loop;
    end $$;
  create procedure fault_keep(_id text, _state text) language plpgsql as $$
    begin insert into fault_writes values (_id); commit; perform fault_raise(_state); end $$;
  create procedure fault_keep_and_wait(_id text, _lock int) language plpgsql as $$
    begin insert into fault_writes values (_id); commit; perform pg_advisory_xact_lock_shared(_lock); end $$;`;
