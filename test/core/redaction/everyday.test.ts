import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import type { DatabaseOptions } from "../../../src/entry/node.ts";
import { failureOf, openDirect, openPool, urlAt } from "../databases.ts";

let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  await using direct = await openDirect();
  await direct.query(`
    drop schema if exists everyday cascade;
    drop role if exists everyday_reader;
    create role everyday_reader login password 'reads';
    create schema everyday;
    create type everyday.mood as enum ('sad', 'happy');
    create domain everyday.positive as int constraint positive_check check (value > 0);
    create table everyday.users (id int primary key, email varchar(12) not null unique, age int constraint age_check check (age > 0), mood everyday.mood);
    create table everyday.orders (id int primary key, user_id int constraint orders_user_fkey references everyday.users, total numeric(5, 2), during int4range,
      constraint orders_during exclude using gist (during with &&));
    create view everyday.adults as select * from everyday.users where age > 17;
    create table everyday."Große Tabelle" ("Spalte" int);
    insert into everyday.users values (1, 'a', 20, 'sad');
    insert into everyday.orders values (1, 1, 1, '[1,5)');
    create function everyday.close_order(id int) returns void language plpgsql as 'begin raise exception ''The order is already closed.''; end';
    create function everyday.f(a int) returns int language sql as 'select 1';
    create function everyday.g(a int) returns int language sql as 'select 1';
    create function everyday.g(a date) returns int language sql as 'select 1';
    grant usage on schema everyday to everyday_reader;
  `);
});
afterAll(async () => {
  await endpoint.stop();
  await using direct = await openDirect();
  await direct.query("drop schema everyday cascade; drop role everyday_reader");
});

/** Everyday mistakes, with the parameters of those that have any, and what the server says of them, word for word. */
const mistakes: readonly (readonly [text: string, message: string, values?: readonly unknown[]])[] = [
  ["select * from nosuch", 'relation "nosuch" does not exist'],
  ["select * from NoSuch where a = $1", 'relation "nosuch" does not exist', [1]],
  ['select * from "NoSuch"', 'relation "NoSuch" does not exist'],
  ["select * from everyday.nosuch", 'relation "everyday.nosuch" does not exist'],
  ['select * from "every day"."no such"', 'relation "every day.no such" does not exist'],
  ["select * from nowhere.users", 'relation "nowhere.users" does not exist'],
  ["insert into nosuch values ($1)", 'relation "nosuch" does not exist', ["nosuch"]],
  ["update nosuch set a = 1", 'relation "nosuch" does not exist'],
  ["delete from nosuch", 'relation "nosuch" does not exist'],
  ["drop table nosuch", 'table "nosuch" does not exist'],
  ["drop view nosuch", 'view "nosuch" does not exist'],
  ["drop index nosuch", 'index "nosuch" does not exist'],
  ["drop sequence nosuch", 'sequence "nosuch" does not exist'],
  ["drop schema nosuch", 'schema "nosuch" does not exist'],
  ["drop type nosuch", 'type "nosuch" does not exist'],
  ["drop role nosuch", 'role "nosuch" does not exist'],
  ["drop database nosuch", 'database "nosuch" does not exist'],
  ["drop extension nosuch", 'extension "nosuch" does not exist'],
  ["drop function nosuch(int, text)", "function nosuch(integer, text) does not exist"],
  ["drop trigger nosuch on everyday.users", 'trigger "nosuch" for table "users" does not exist'],
  ["alter table everyday.users drop column nosuch", 'column "nosuch" of relation "users" does not exist'],
  ["alter table everyday.users drop constraint nosuch", 'constraint "nosuch" of relation "users" does not exist'],
  ["alter table everyday.users add column email text", 'column "email" of relation "users" already exists'],
  ["alter table everyday.users add primary key (id)", 'multiple primary keys for table "users" are not allowed'],
  ["alter table everyday.users alter column email type int", 'column "email" cannot be cast automatically to type integer'],
  ["select nosuch from everyday.users", 'column "nosuch" does not exist'],
  ["select u.nosuch from everyday.users u where id = $1", "column u.nosuch does not exist", [1]],
  ["select users.id from everyday.users u", 'missing FROM-clause entry for table "users"'],
  ["select x.id from everyday.users", 'missing FROM-clause entry for table "x"'],
  ["insert into everyday.users (nosuch) values (1)", 'column "nosuch" of relation "users" does not exist'],
  ["update everyday.users set nosuch = 1", 'column "nosuch" of relation "users" does not exist'],
  ["select id from everyday.users, everyday.orders", 'column reference "id" is ambiguous'],
  [
    "select email, count(*) from everyday.users",
    'column "users.email" must appear in the GROUP BY clause or be used in an aggregate function',
  ],
  ["select * from everyday.users group by age", 'column "users.id" must appear in the GROUP BY clause or be used in an aggregate function'],
  ["select 1 from everyday.users where count(*) > 1", "aggregate functions are not allowed in WHERE"],
  ["select nosuch(1, 'a')", "function nosuch(integer, unknown) does not exist"],
  ["select nosuch($1::int, $2::text)", "function nosuch(integer, text) does not exist", [1, "integer"]],
  ["select everyday.g(null)", "function everyday.g(unknown) is not unique"],
  ["select 1::nosuch", 'type "nosuch" does not exist'],
  ["select 1 = 'a'::text", "operator does not exist: integer = text"],
  ["select $1::int = any($2::text[])", "operator does not exist: integer = text", [1, ["a"]]],
  ["selec 1", 'syntax error at or near "selec"'],
  ["select 1 from", "syntax error at end of input"],
  ["select * form everyday.users", 'syntax error at or near "form"'],
  ["select 'open", `unterminated quoted string at or near "'open"`],
  ["select 1x", 'trailing junk after numeric literal at or near "1x"'],
  ["select 1 where", "syntax error at end of input"],
  ["select (1", "syntax error at end of input"],
  ["select 1 union select 'a'", 'invalid input syntax for type integer: "a"'],
  ["select 1 union select 1, 2", "each UNION query must have the same number of columns"],
  ["insert into everyday.users (id, email) values (1)", "INSERT has more target columns than expressions"],
  ["insert into everyday.users (id, id) values (1, 2)", 'column "id" specified more than once'],
  ["insert into everyday.users (id, age) values ('a', 1)", 'invalid input syntax for type integer: "a"'],
  [
    "insert into everyday.users (id, email, age) values (2, 'b', now())",
    'column "age" is of type integer but expression is of type timestamp with time zone',
  ],
  ["select 1 where 1", "argument of WHERE must be type boolean, not type integer"],
  ["select 1 where $1 is null", "could not determine data type of parameter $1", ["a"]],
  ["set local nosuch = 1", 'unrecognized configuration parameter "nosuch"'],
  ["set local work_mem = 'much'", 'invalid value for parameter "work_mem": "much"'],
  ["set local statement_timeout = -5", '-5 ms is outside the valid range for parameter "statement_timeout" (0 ms .. 2147483647 ms)'],
  ["set local max_connections = 5", 'parameter "max_connections" cannot be changed without restarting the server'],
  ["set local role nosuch", 'role "nosuch" does not exist'],
  ["set local timezone = 'Mars/Base'", 'invalid value for parameter "TimeZone": "Mars/Base"'],
  ["show nosuch", 'unrecognized configuration parameter "nosuch"'],
  ["create table everyday.users ()", 'relation "users" already exists'],
  ["create schema everyday", 'schema "everyday" already exists'],
  ["create role everyday_reader", 'role "everyday_reader" already exists'],
  ["create type everyday.mood as enum ('x')", 'type "mood" already exists'],
  ["create index on everyday.users (nosuch)", 'column "nosuch" does not exist'],
  ["create extension nosuch", 'extension "nosuch" is not available'],
  ["create table everyday.t (a nosuch)", 'type "nosuch" does not exist'],
  ["create table everyday.t (a int, a int)", 'column "a" specified more than once'],
  ["create function everyday.f(a int) returns int language sql as 'select 1'", 'function "f" already exists with same argument types'],
  ["drop table everyday.users", "cannot drop table everyday.users because other objects depend on it"],
  ["drop schema everyday", "cannot drop schema everyday because other objects depend on it"],
  ["drop role current_user", "cannot use special role specifier in DROP ROLE"],
  ["drop table everyday.adults", '"adults" is not a table'],
  ["alter table everyday.users rename to orders", 'relation "orders" already exists'],
  ["truncate everyday.users", "cannot truncate a table referenced in a foreign key constraint"],
  ["refresh materialized view everyday.adults", '"adults" is not a table or materialized view'],
  ["insert into everyday.users (id, email) values ($1, $2)", 'duplicate key value violates unique constraint "users_pkey"', [1, "users"]],
  ["insert into everyday.users (id, email) values ($1, $2)", 'duplicate key value violates unique constraint "users_email_key"', [9, "a"]],
  ["insert into everyday.users (id) values ($1)", 'null value in column "email" of relation "users" violates not-null constraint', [8]],
  [
    "insert into everyday.users (id, email, age) values ($1, $2, $3)",
    'new row for relation "users" violates check constraint "age_check"',
    [7, "users", -5],
  ],
  [
    "insert into everyday.users (id, email) values ($1, $2)",
    "value too long for type character varying(12)",
    [6, "a value that is too long"],
  ],
  [
    "insert into everyday.orders (id, user_id) values ($1, $2)",
    'insert or update on table "orders" violates foreign key constraint "orders_user_fkey"',
    [5, 4000],
  ],
  [
    "delete from everyday.users where id = $1",
    'update or delete on table "users" violates foreign key constraint "orders_user_fkey" on table "orders"',
    [1],
  ],
  [
    "insert into everyday.orders (id, during) values ($1, $2)",
    'conflicting key value violates exclusion constraint "orders_during"',
    [3, "[2,3)"],
  ],
  ["insert into everyday.orders (id, total) values ($1, $2)", "numeric field overflow", [4, 100000]],
  ["select $1::everyday.positive", 'value for domain everyday.positive violates check constraint "positive_check"', [-1]],
  ["select 1 / $1::int", "division by zero", [0]],
  ["select $1::int + 1", "integer out of range", [2147483647]],
  [
    "insert into everyday.users (id, email, mood) values ($1, $2, $3)",
    'invalid input value for enum everyday.mood: "[redacted]"',
    [2, "b", "wrong"],
  ],
  ["select convert_from($1::bytea, 'UTF8')", 'invalid byte sequence for encoding "UTF8": [redacted]', [Buffer.from([0xff])]],
  ["select set_config('work_mem', $1, true)", 'invalid value for parameter "work_mem": "[redacted]"', ["much"]],
  [
    "select convert_to($1, 'LATIN1')",
    'character with byte sequence [redacted] in encoding "UTF8" has no equivalent in encoding "LATIN1"',
    ["€"],
  ],
  ["select everyday.close_order($1)", "The order is already closed.", [17]],
  ['select "Falsch" from everyday."Große Tabelle"', 'column "Falsch" does not exist'],
  ['select größe from everyday."Große Tabelle"', 'column "größe" does not exist'],
  ["select größe(1)", "function größe(integer) does not exist"],
  [`select * from ${"long_name_".repeat(8)}`, `relation "${"long_name_".repeat(8).slice(0, 63)}" does not exist`],
  [`drop table ${"long_name_".repeat(8)}`, `table "${"long_name_".repeat(8).slice(0, 63)}" does not exist`],
  ['drop table everyday."Nicht da"', 'table "Nicht da" does not exist'],
];

/** What somebody else may not do. */
const forbidden: readonly (readonly [text: string, message: string, values?: readonly unknown[]])[] = [
  ["select * from everyday.users where email = $1", "permission denied for table users", ["users"]],
  ["insert into everyday.orders values ($1)", "permission denied for table orders", [1]],
  ["create table everyday.t (a int)", "permission denied for schema everyday"],
  ["create database d", "permission denied to create database"],
  ["create role r", "permission denied to create role"],
  ["drop table everyday.users", "must be owner of table users"],
  ["set local role postgres", 'permission denied to set role "postgres"'],
  ["set local log_statement = 'all'", 'permission denied to set parameter "log_statement"'],
];

const messageOf = (call: Promise<unknown>) =>
  call.then(
    () => "it did not fail",
    (error: Error) => error.message,
  );

describe.each<[string, () => DatabaseOptions]>([
  ["pool", () => ({})],
  ["http", () => ({ transport: "http", endpoint: endpoint.url })],
])("over %s", (_, options) => {
  test("everyday mistakes are told in the server's own words", async () => {
    await using db = openPool(options());
    await using reader = openPool({ ...options(), user: "everyday_reader", password: "reads" });
    const told = [];
    for (const [each, cases] of [
      [db, mistakes],
      [reader, forbidden],
    ] as const) {
      for (const [text, , values = []] of cases) told.push([text, await messageOf(each.query(text, values))]);
    }
    expect(told).toEqual([...mistakes, ...forbidden].map(([text, message]) => [text, message]));
    expect(told.length).toBeGreaterThanOrEqual(100);
  });

  test.each([
    ["database", { database: "nosuch" }, 'database "nosuch" does not exist'],
    ["role", { user: "nosuch_role", password: "x" }, /nosuch_role/],
  ] as const)("a missing %s is named", async (_what, login, message) => {
    await using db = openPool({ ...options(), ...login });
    expect((await failureOf(db.query("select 1"))).message).toMatch(message);
  });
});
