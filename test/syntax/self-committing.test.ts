import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { mayCommitByItself } from "../../src/syntax/self-committing.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { layGround, runAlone } from "./left-behind.ts";

/** A text, what it fails with where that is not the failure the ground provides, and what is run before. */
type Row = readonly [text: string, code?: string | undefined, before?: string];

/** Every command of the list; those that name a code can be made to fail only before they have done anything, or by their own rules. */
const undone: readonly Row[] = [
  ["select doing()"],
  ["(select doing())"],
  ["values (doing())"],
  ["table doing_view"],
  ["with a as materialized (select doing() as n) select * from a"],
  ["with a as (insert into t values (9) returning id) select id / 0 from a", "22012"],
  ["select 1 as id into made from doing_view"],
  ["insert into touched values (1)"],
  ["insert into t values (1)", "23505"],
  ["update touched set id = 2"],
  ["delete from touched"],
  ["merge into touched using t on false when not matched then insert values (t.id)"],
  ["truncate touched"],
  ["execute q", undefined, "prepare q as select doing()"],
  ["explain analyze execute q", undefined, "prepare q as select doing()"],
  ["explain analyze insert into touched values (1)"],
  ["explain (analyze) create table made as select doing()"],
  ["declare c cursor with hold for select doing()"],
  ["fetch backward from c", "55000", "begin; declare c no scroll cursor with hold for select 1; commit; fetch c"],
  ["move 1 from nowhere", "34000"],
  ["close nowhere", "34000"],
  ["prepare q as select from nowhere", "42P01"],
  ["deallocate nobody", "26000"],
  ["show nothing.at_all", "42704"],
  ["set work_mem = '1 light year'", "22023"],
  ["reset nothing", "42704"],
  ["lock table t", "25P01"],
  ["listen", "42601"],
  ["unlisten", "42601"],
  ["notify a, 'b', 'c'", "42601"],
  ["comment on table t is 'x'"],
  ["grant select on t to somebody"],
  ["grant pg_monitor to nobody_at_all", "42704"],
  ["revoke all on t from public"],
  ["security label on table t is 'x'", "22023"],
  ["reassign owned by somebody to nobody_at_all", "42704"],
  ["refresh materialized view doing_lazily"],
  ["import foreign schema public from server far into two", "08001"],
  ["copy touched from stdin", "57014"],
  ["copy (select doing()) to stdout"],
  ["create table made (id int)"],
  ["create table made as select doing() as n"],
  ["create index made on t (id)"],
  ["create unique index on twins (id)", "23505"],
  ['create table made (database text, async boolean, tablespace int, system int, "concurrently" int default 1)'],
  ["create index made on t ((id || 'concurrently'))"],
  ["create schema made create table inside (id int)"],
  ["create role somebody", "42710"],
  ["create extension citext"],
  ["alter table t add column made int, alter column n type text"],
  ["alter table t set tablespace pg_default, rename to u", "42601"],
  ["alter type mood add value 'sad'"],
  ["alter table many detach partition few"],
  ["alter role somebody rename to postgres", "42710"],
  ["drop table t"],
  ["drop index a_firm_i"],
  ["drop owned by current_user cascade", "2BP01"],
  ["begin isolation level nothing", "42601"],
  ["start transaction read", "42601"],
  ["savepoint a", "25P01"],
  ["release a", "25P01"],
  ["rollback to a", "25P01"],
  ["rollback prepared 'x'", "42704"],
  ["commit prepared 'x'", "42704"],
  ["prepare transaction 'x'", "23505", "begin; insert into t values (1)"],
  ["commit", "23505", "begin; insert into t values (1)"],
  ["end", "23505", "begin; insert into t values (1)"],
];

/** Of each of these something is left. */
const selfCommitting: readonly Row[] = [
  ["call p()"],
  ["do $$ begin insert into marker values (4); commit; raise 'too late'; end $$"],
  ["create unique index concurrently on twins (id)", "23505"],
  ["create index concurrently made on t (id)"],
  ["drop index concurrently a_firm_i"],
  ["reindex index concurrently a_firm_i"],
  ["reindex table concurrently a_firm"],
  ["reindex schema public"],
  ["cluster"],
  ["vacuum analyze a_firm, b_shaky"],
  ["analyze a_firm, b_shaky"],
  ["alter table many detach partition few concurrently"],
  ["copy t to program 'touch left_behind; false'", "38000"],
  ["copy touched from program 'touch left_behind_too; echo 1'"],
];

/** Several statements in one text: the simple protocol makes one transaction of those between two that end one. */
const scripts: readonly (readonly [text: string, stays: boolean, code: string])[] = [
  ["insert into marker values (1); select 1 / 0", false, "22012"],
  ["insert into marker values (1); commit; select 1 / 0", true, "22012"],
  ["insert into marker values (1); end;;select 1 / 0", true, "22012"],
  ["begin; insert into marker values (1); insert into t values (1); commit", false, "23505"],
  ["begin; insert into marker values (1); commit; select 1 / 0", true, "22012"],
  ["begin; insert into marker values (1); commit and chain; select 1 / 0", true, "22012"],
  ["insert into marker values (1); insert into t values (1); commit;;/**/", false, "23505"],
  ["insert into marker values (1); rollback; insert into marker values (2); select 1 / 0", false, "22012"],
  ["begin; insert into marker values (1); savepoint a; insert into marker values (2); rollback to a; select 1 / 0", false, "22012"],
  ["begin; insert into marker values (1); prepare transaction 'kept'; select 1 / 0", true, "22012"],
  ["begin; insert into marker values (1); select E'\\'; commit; --'; select 1 / 0", false, "22012"],
  ["create rule r as on insert to t do also (delete from twins; select 1); select 1 / 0", false, "P0001"],
  ["insert into marker values (1); create function made() returns int begin atomic select 1; select 2; end; select 1 / 0", false, "P0001"],
  ["insert into marker values (1); call p()", false, "2D000"],
];

/** What the list of commands leaves out, and what looks like it. */
const words: readonly (readonly [text: string, may: boolean])[] = [
  ["", false],
  [";;", false],
  ["checkpoint", true],
  ["load 'x'", true],
  ["discard all", true],
  ["repack t", true],
  ['"select"', true],
  ["\u00a0select 1", true],
  ["create database d", true],
  ["alter database d set tablespace x", true],
  ["DROP /**/ DATABASE d", true],
  ["create tablespace s location '/'", true],
  ["create subscription s connection '' publication p", true],
  ["alter system set work_mem = 1", true],
  ["create index async on t (id)", true],
  ["create unique index async i on t (id)", true],
  ["create index on t (async)", false],
  ["drop index Concurrently i", true],
  ['drop index "concurrently"', false],
  ["create table t as select 'concurrently', $$concurrently$$ -- concurrently", false],
  ["create table database (id int)", false],
  ["refresh materialized view concurrently v", false],
  ["copy t from stdin", false],
  ["copy t (stdin) from 'file'", true],
  ["copy stdin from program 'x'", true],
  ["copy (select a is distinct from stdin from t) to program 'x'", true],
  ["copy t from program 'x' where a is distinct from stdin", true],
  ['copy "from" to stdout', false],
  ['copy t to "stdout"', true],
  ["select 1; vacuum", true],
  ["prepare transaction 'x'", false],
  ["select '\\'; call p(); --'", true],
  ["select '\\' || $$'; call p(); --$$", true],
  ["select e'\\'; call p(); --'", false],
];

describe("what the server leaves of a text that failed outside a transaction block", () => {
  let server: PostgresServer;
  let database = 0;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres({ settings: { max_prepared_transactions: "10", autovacuum: "off" } });
    await lay();
  });
  afterAll(() => server.stop());

  async function lay(): Promise<void> {
    await layGround(server, `ground_${++database}`);
    url = server.url(`ground_${database}`);
  }

  for (const [text, code = "P0001", before] of undone) {
    test(`${text}: nothing`, async () => {
      expect(await runAlone(url, text, before)).toEqual({ code, left: [] });
      expect(mayCommitByItself(text)).toBe(false);
    });
  }

  for (const [text, code = "P0001"] of selfCommitting) {
    test(`${text}: something`, async () => {
      await lay();
      const aftermath = await runAlone(url, text);
      expect(aftermath.code).toBe(code);
      expect(aftermath.left).not.toEqual([]);
      expect(mayCommitByItself(text)).toBe(true);
    });
  }

  test.each(scripts)("%s: %j", async (text, stays, code) => {
    await lay();
    const aftermath = await runAlone(url, text);
    expect(aftermath.code).toBe(code);
    expect(aftermath.left.length > 0).toBe(stays);
    if (!text.includes("call")) expect(mayCommitByItself(text)).toBe(stays);
  });
});

test.each(words)("mayCommitByItself(%j) is %j", (text, may) => {
  expect(mayCommitByItself(text)).toBe(may);
});

test("the tables have every command of the list", () => {
  const tried = new Set(undone.map(([text]) => /^(\(|\w+)/.exec(text)?.[0]));
  const list =
    "select ( values table with insert update delete merge execute explain declare fetch move close show set reset lock listen unlisten notify prepare deallocate truncate comment grant revoke security reassign refresh import copy create alter drop";
  expect(list.split(" ").filter((word) => !tried.has(word))).toEqual([]);
});
