import { refusals } from "./cases/errors.ts";
import { unsendable } from "./cases/misuse.ts";
import { echoes } from "./cases/parameters.ts";
import { typeSamples } from "./type-samples.ts";

/** A statement to be sent on every way to the server. */
export interface Sample {
  readonly text: string;
  readonly values?: readonly unknown[] | undefined;
}

const bytes = Uint8Array.of(0, 1, 255);

const shapes: readonly string[] = [
  "",
  " ",
  ";",
  "-- comment",
  "/* comment */",
  "select",
  "select from person",
  "select 1 where false",
  "table person",
  "table empty_table",
  "select 1 as n, 2 as n",
  'select 1 as "__proto__", 2 as "constructor"',
  `select '{"a": 1}'::jsonb as "__proto__"`,
  'select 1 as "0", 2 as "a b", 3 as """"',
  "select 1, 'x'::text, now() is null",
  "select * from person order by id",
  "select p from person p order by id",
  "select array_agg(p order by id) from person p",
  "select json_agg(p order by id) from person p",
  "select name::varchar(3), age::numeric(6,2), id::bit(4) from person order by id",
  "select n, null::text as nothing from generate_series(1, 300) n",
  "select repeat('x', 100000) as wide",
  "select null, null::int[], array[null, null]::text[]",
  "select interval '1 year', array[interval '1 day']",
  "select unnest(enum_range(null::mood))",
];

const commands: readonly string[] = [
  "values (1, 'a'), (2, 'b')",
  "with p as (select 1 as n) select * from p",
  "insert into ledger values (1), (2), (3)",
  "insert into ledger values (4) returning entry, entry * 2 as twice",
  "update ledger set entry = entry + 10",
  "update ledger set entry = 0 where false returning entry",
  "merge into ledger using (values (99)) s (n) on entry = s.n when not matched then insert values (s.n)",
  "delete from ledger where entry > 12",
  "truncate ledger",
  "create table made (a int, b text)",
  "alter table made add c date",
  "create index on made (a)",
  "comment on table made is 'a table'",
  "create view seen as select a from made",
  "drop view seen",
  "drop table made",
  "drop table if exists not_there",
  "create table made_as as select 1 as n",
  "select 2 as n into made_into",
  "do $$ begin raise notice 'a notice'; end $$",
  "call add_entry(5)",
  "call double_it(21)",
  "explain select 1",
  "explain (format json) select 1",
  "show server_encoding",
  "set local work_mem = '2MB'",
  "reset work_mem",
  "notify nobody, 'x'",
  "listen nobody",
  "analyze person",
  "vacuum person",
  "lock table person",
  "declare a_cursor cursor for select 1",
  "set constraints all deferred",
  "discard plans",
  "copy person to stdout",
  "copy ledger from stdin",
  "select 1; select 2",
  "select 1; select",
  "begin",
  "commit",
  "prepare transaction 'x'",
];

const misfits: readonly Sample[] = [
  { text: "select $1::text", values: [bytes] },
  { text: "select $1::int", values: [bytes] },
  { text: "select $1::jsonb", values: [bytes] },
  { text: "select $1::bytea[]", values: [[bytes, bytes]] },
  { text: "select $1::jsonb", values: [[1, 2]] },
  { text: "select $1::int[]", values: [[1, [2, 3]]] },
  { text: "select $1::int, $2::int", values: [1] },
  { text: "select $1::int", values: [1, 2] },
  { text: "select $2::int", values: [1, 2] },
  { text: "select 1", values: [1] },
  { text: "select $1 is null", values: [null] },
  { text: "select $1 || 'x'", values: ["a"] },
  { text: "select coalesce($1, 5)", values: [null] },
  { text: "select $1::text", values: ["a\0b"] },
  { text: "select $1::text", values: "text" as never },
  { text: "insert into person values ($1, $2)", values: [1, "a name to keep out of messages"] },
  { text: "insert into person values (7, $1)", values: ["Ada"] },
  { text: "select $1::date", values: ["2026-02-30"] },
  { text: "select fail_with($1)", values: ["08006"] },
  { text: "select fail_with($1)", values: ["57P02"] },
  { text: "select fail_with($1)", values: ["58030"] },
  { text: "select fail_with($1)", values: ["XX000"] },
  { text: "select fail_with($1)", values: ["23505"] },
  { text: "select fail_with($1)", values: ["P0001"] },
  { text: "select fail_with($1)", values: ["ABCDE"] },
];

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Statements of every kind: all types both ways, shapes, commands, refusals by the server and by the package. */
export const corpus: readonly Sample[] = [
  ...typeSamples.map(({ type, text }) => ({ text: `select ${quote(text)}::${type} as value` })),
  ...typeSamples.map(({ type, value, sent = value }) => ({ text: `select $1::${type} as value`, values: [sent] })),
  ...echoes.map(([, type, value]) => ({ text: `select $1::${type} as value, $1::${type} as again`, values: [value] })),
  ...shapes.map((text) => ({ text })),
  ...commands.map((text) => ({ text })),
  ...refusals.map(([, text, , , values]) => ({ text, values })),
  ...unsendable.map(([, value]) => ({ text: "select $1", values: [value()] })),
  ...misfits,
];
