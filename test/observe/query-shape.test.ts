import { describe, expect, test } from "vitest";
import { queryShape } from "../../src/observe/query-shape.ts";

const summaries: readonly (readonly [string, string | null])[] = [
  ["SELECT * FROM wuser_table WHERE username = $1", "SELECT wuser_table"],
  [
    "INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = $1",
    "INSERT shipping_details SELECT orders",
  ],
  ["SELECT * FROM songs, artists WHERE songs.artist_id = artists.id", "SELECT songs artists"],
  ["SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.c = c.id) AS x", "SELECT SELECT orders customers"],
  [`select * from "song list" s, only public."Artists" a`, `select "song list" public."Artists"`],
  ["with a as (select 1 from b) update c set d = 1 from a where c.id = a.id returning c.id", "select b update c a"],
  ["select extract(year from born), trim(both from name) from people where a is distinct from b", "select people"],
  ["select g from generate_series(1, 10) as g, people", "select people"],
  ["insert into t (a, b) values ($1, 'from secrets'), (2, 3) on conflict (a) do update set b = 1", "insert t"],
  ["select * from jobs where done = false for no key update skip locked", "select jobs"],
  ["merge into a using b on a.id = b.id when matched then delete when not matched then insert values (1)", "merge a b"],
  ["delete from a using b where a.id = b.id", "delete a b"],
  ["create table if not exists t (id int references u on delete cascade)", "create table"],
  ["create unique index concurrently on t (a)", "create index"],
  ["explain analyze select 1 from t", "explain select t"],
  ["listen channel", "listen"],
  ["select 1; select 2 from t", "select select t"],
  ["-- a comment from nowhere\n/* select /* nested */ from x */ select 1", "select"],
  ["", null],
  ["-- nothing", null],
  ["(((", null],
  ["select * from", "select"],
  ["select * from a.", "select a"],
];

test.each(summaries)("%j is summarized as %j", (text, summary) => {
  expect(queryShape(text).summary).toBe(summary);
});

test("a summary ends before 255 characters, with a whole name", () => {
  const tables = Array.from({ length: 100 }, (_, index) => `table_${index}`);
  const summary = queryShape(`select * from ${tables.join(", ")}`).summary ?? "";
  expect(summary.length).toBeLessThanOrEqual(255);
  expect(summary.split(" ").slice(1)).toEqual(tables.slice(0, summary.split(" ").length - 1));
});

describe("a text holds no value", () => {
  const secret = "canary";
  const literals = [
    `'${secret}'`,
    `'it''s ${secret}'`,
    `e'\\'${secret}'`,
    `E'a\\\\' || '${secret}'`,
    `U&'${secret}'`,
    `b'${secret}'`,
    `$$ ${secret} $$`,
    `$tag$ $$ ${secret} $tag$`,
    `'never ended ${secret}`,
    `$$ never ended ${secret}`,
    `/* ${secret} */ 1`,
    `1 -- ${secret}`,
    `/* never ended ${secret}`,
  ];

  test.each(literals)("%s", (literal) => {
    const { text, summary } = queryShape(`select a from b where c = ${literal}`);
    expect(text).toMatch(/^select a from b where c =/);
    expect(text + summary).not.toContain(secret);
  });

  test("nor a number, whatever its form; parameters stay", () => {
    expect(queryShape('select 42, -1.5e-3, 0xFF, 1_000, .5, $1::int4, a1.b2, "4" limit  10\n').text).toBe(
      'select ?, -?, ?, ?, ?, $1::int4, a1.b2, "4" limit ?',
    );
  });

  test("also where a long text is cut in the middle of a literal", () => {
    const { text } = queryShape(`select '${secret.repeat(10_000)}', '${secret}'`);
    expect(text).toBe("select ?");
  });
});

test("ten thousand different texts are read in time, and a text of nothing but quotes too", () => {
  for (let count = 0; count < 10_000; count++) queryShape(`select ${count} from t`);
  for (const nasty of ["'", '"', "$", "/*", "(", "e'\\", "--", "$a", "''", "\ud800"]) queryShape(nasty.repeat(20_000));
});
