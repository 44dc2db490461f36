import type pg from "pg";

/** What a query rejects with. */
export type Failure = Error & { readonly fate: string; readonly retryable: boolean; readonly code?: string };

/** What a query gave, or failed with, in pg's own terms: fate, what may be repeated, and stack aside. */
export async function outcomeOf(answer: Promise<unknown>): Promise<unknown> {
  try {
    return { result: await answer };
  } catch (thrown) {
    const error = thrown as Failure;
    const { fate: _fate, retryable: _retryable, ...fields } = error;
    return { fields, name: error.name, message: error.message, type: error.constructor.name };
  }
}

/** Asks by promise, by callback, and a client. */
export const manners: readonly (readonly [string, (pool: pg.Pool, args: readonly unknown[]) => Promise<unknown>])[] = [
  ["promise", (pool, args) => Reflect.apply(pool.query, pool, args) as Promise<unknown>],
  [
    "callback",
    (pool, args) =>
      new Promise((resolve, reject) => {
        const returned = Reflect.apply(pool.query, pool, [
          ...args,
          (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)),
        ]);
        if (returned !== undefined) reject(new Error("It returned something beside its callback."));
      }),
  ],
];

/** Asks a client that is checked out for it. */
export const byClient = async (pool: pg.Pool, args: readonly unknown[]) => {
  const client = await pool.connect();
  try {
    return await Reflect.apply(client.query, client, args);
  } finally {
    client.release();
  }
};

const point = { toPostgres: (prepare: (value: unknown) => unknown) => prepare(["a", 'b"c', null]) };
export const circular: { toPostgres(): unknown } = { toPostgres: () => circular };
const shout = (text: string) => `${text}!`;
export const shouting = { getTypeParser: () => shout };
const all = "select 1 as a, null as b, 'x' as a, now() - now() as i, array[1,2] as l, 'z'::text as \"__proto__\"";
const fail = () => {
  throw new Error("a parser's own");
};
export const failing = { getTypeParser: () => fail };

/** What pg's pool and this one have to agree on. Each is asked three times: the third goes by its name. */
export const pgQueries: readonly (readonly [string, ...unknown[]])[] = [
  ["a bare text", "select 1 as n, 'a' as t"],
  ["a bare text with a semicolon", "select 2 as n;"],
  ["two columns of one name", all],
  ["no columns", "select"],
  ["no rows", "select 1 where false"],
  ["several statements", "select 1 as a; select 2 as b, 3 as c; values (4)"],
  [
    "several statements of several kinds",
    "create temp table gone (n int); insert into gone values (1), (2); update gone set n = 3; drop table gone",
  ],
  ["an empty text", ""],
  ["a text of nothing", " ; -- nothing"],
  ["an empty text with values", "", [1]],
  ["values", "select $1::int as n, $2::text as t, $3::jsonb as j", [1, "two", { three: 3 }]],
  ["no values", "select 5 as n", []],
  ["null and undefined", "select $1::int as a, $2::text as b", [null, undefined]],
  ["dates", "select $1::timestamptz as at", [new Date(0)]],
  [
    "arrays",
    "select $1::text[] as a, $2::int[] as b",
    [
      ["a", 'q"', null],
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ],
  ["what prepares itself", "select $1::text[] as a", [point]],
  ["what prepares itself for ever", "select $1::text as a", [circular]],
  ["bytes", "select $1::bytea as a", [Buffer.from("hello")]],
  ["a view of bytes", "select $1::bytea as a", [new Uint8Array([1, 2, 3])]],
  ["booleans, numbers and bigints", "select $1::bool as a, $2::float8 as b, $3::int8 as c", [true, 1.5, 12n]],
  ["rows as arrays", { text: all, rowMode: "array" }],
  ["rows as arrays, with values", { text: "select $1::int as n, $1::int as n", values: [1], rowMode: "array" }],
  ["values beside a config", { text: "select $1::int as n", values: [1] }, [2]],
  ["parsers", { text: "select $1::int as n, null as m, now() - now() as i", values: [1], types: shouting }],
  ["parsers of a bare text", { text: "select 1 as n", types: shouting }],
  ["parsers that fail", { text: "select $1::int as n", values: [1], types: failing }],
  ["parsers that fail for several statements", { text: "select 1; select 2", types: failing }],
  ["a name", { name: "one", text: "select $1::int as n", values: [1] }],
  ["a name without values", { name: "two", text: "select 6 as n" }],
  ["the extended protocol asked for", { text: "select 7 as n", queryMode: "extended" }],
  ["the extended protocol refuses several statements", { text: "select 7; select 8", queryMode: "extended" }],
  ["rows in portions", { text: "select generate_series(1, 5) as n", rows: 2 }],
  ["binary", { text: "select $1::int as n", values: [1], binary: true }],
  ["a timeout", { text: "select $1::int as n", values: [1], query_timeout: 5_000 }],
  ["insert", "insert into pg_query (id, name) values ($1, $2) on conflict do nothing", [1, "x"]],
  ["insert returning", "insert into pg_query (id, name) values ($1, $2) on conflict (id) do update set name = 'y' returning *", [2, "x"]],
  ["update", "update pg_query set name = $1", ["z"]],
  ["delete", "delete from pg_query where id = $1", [99]],
  ["merge", "merge into pg_query p using (select $1::int as id) s on p.id = s.id when matched then update set name = 'm'", [1]],
  ["set", "set application_name = 'pg_query'"],
  ["begin", "begin"],
  ["commit alone", "commit"],
  ["a whole transaction", "begin; insert into pg_query (id) values (50) on conflict do nothing; commit"],
  ["begin by the extended protocol", { text: "begin", queryMode: "extended" }],
  ["do", "do 'begin end'"],
  ["explain", "explain (costs off) select 1"],
  ["copy out", "copy (select 1) to stdout"],
  ["copy in", "copy pg_query from stdin"],
  ["a syntax error", "selec"],
  ["a syntax error with values", "selec $1", [1]],
  ["an error of a value", "select 1 / $1::int", [0]],
  ["an error of a value's form", "select $1::int", ["x"]],
  ["an error with a hint and a position", "select nothing from pg_query"],
  ["a constraint", "insert into pg_query (id) values (1), (1)"],
  ["an error in the second of three", "select 1; select 1/0; select 3"],
  ["a parameter without values", "select $1::int"],
  ["raise", "do $$ begin raise exception 'no' using errcode = 'U0001', hint = 'h', detail = 'd', column = 'c'; end $$"],
  ["values that are no array", "select 1", { length: 1 }],
  ["nul", "select $1::text", ["a\0b"]],
];
