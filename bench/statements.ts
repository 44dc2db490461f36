/** What is asked, the same for every client: a text, and values as JavaScript has them. */
export interface Statement {
  readonly text: string;
  values(): readonly unknown[];
  /** Run before each block, outside of what is measured. */
  readonly before?: StatementName;
}

export type StatementName = "by primary key" | "1,000 rows" | "100 kB" | "insert" | "truncate" | "slow" | "1 row" | "20 rows";

const ITEMS = 10_000;
const INSERTED = 1_000;

/** Make the tables that the statements read and write, one after the other. */
export const fixtures = [
  "create table bench_items (id int primary key, name text, price numeric, at timestamptz default now(), ok bool default true)",
  `insert into bench_items select i, 'product ' || i, i * 1.5 from generate_series(1, ${ITEMS}) as i`,
  "create unlogged table bench_inserts (id int, name text, price numeric)",
  "vacuum analyze bench_items",
];

/** Rows that are streamed, in batches of so many, by whoever takes a size. */
export const BATCH_SIZE = 500;

/** A statement of so many rows × 5 columns, in multiples of {@link ITEMS}, that are made as they are asked for. */
export function streamed(count: number): { readonly text: string; readonly values: [number] } {
  const text = "select id, name, price, at, ok from generate_series(1, $1::int) as times, bench_items";
  return { text, values: [Math.ceil(count / ITEMS)] };
}

let asked = 0;
const text100kB = "x".repeat(100_000);
const columns = [
  Array.from({ length: INSERTED }, (_, row) => row),
  Array.from({ length: INSERTED }, (_, row) => `product ${row}`),
  Array.from({ length: INSERTED }, (_, row) => `${row * 1.5}`),
];

export const statements: Readonly<Record<StatementName, Statement>> = {
  "by primary key": {
    text: "select id, name, price, at, ok from bench_items where id = $1",
    values() {
      // a step that shares no divisor with the number of rows comes by all of them
      asked = (asked + 7_919) % ITEMS;
      return [asked + 1];
    },
  },
  "1,000 rows": {
    text: "select id, name, price, at, ok from bench_items where id between $1 and $2",
    values: () => [1, 1_000],
  },
  "100 kB": { text: "select $1::text as text", values: () => [text100kB] },
  insert: {
    text: "insert into bench_inserts select * from unnest($1::int[], $2::text[], $3::numeric[])",
    values: () => columns,
    before: "truncate",
  },
  truncate: { text: "truncate bench_inserts", values: () => [] },
  slow: { text: "select pg_sleep(0.1)", values: () => [] },
  "1 row": { text: "select $1::int as n, $2::text as t", values: () => [7, "a short text"] },
  "20 rows": {
    text: `select i as id, 'product ' || i as name, i * 10.5 as price, i % 2 = 0 as active, now() as changed, null as note
           from generate_series($1::int, $2::int) as i`,
    values: () => [1, 20],
  },
};

/** A text with `$1 …` as what a tagged template is called with. */
export function templateOf(text: string): TemplateStringsArray {
  const strings = text.split(/\$\d+/);
  return Object.defineProperty(strings, "raw", { value: strings }) as string[] & { readonly raw: string[] };
}
