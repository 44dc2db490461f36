import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, comparable, failureOf, onlyValue, type Subject } from "../case.ts";
import { type TypeSample, typeSamples } from "../type-samples.ts";

const named = ({ type, text }: TypeSample): string => `${type} ${JSON.stringify(text)}`;

const reading = (sample: TypeSample): Case => ({
  title: `reads ${named(sample)}, and NULL`,
  async run({ db }) {
    const { rows } = await db.query(
      `select '${sample.text.replaceAll("'", "''")}'::${sample.type} as value, null::${sample.type} as nothing`.replace(
        "null::label",
        "null",
      ),
    );
    expect(rows.map((row) => [comparable(row.value), row.nothing])).toEqual([[comparable(sample.value), null]]);
  },
});

const writing = (sample: TypeSample): Case => ({
  title: `writes ${named(sample)} as a parameter`,
  async run({ db }) {
    const { rows } = await db.query(`select $1::${sample.type} as value`, [sample.sent ?? sample.value]);
    expect(comparable(rows[0]?.value)).toEqual(comparable(sample.value));
  },
});

const special: readonly Case[] = [
  {
    title: "writes back an interval as it was read",
    async run({ db }) {
      const text = "1 year -2 months 3 days -04:05:06.000789";
      const value = await onlyValue(db.sql`select ${text}::interval`);
      expect(await onlyValue(db.sql`select ${value}::interval = ${"1 year -2 months 3 days -04:05:06.000789"}::interval`)).toBe(true);
      expect(String((value as { toISOString(): string }).toISOString())).toBe("P0Y10M3DT-4H-5M-6.000789S");
    },
  },
  {
    title: "stores and gives back bytes of every value",
    async run({ db }) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const value = await onlyValue(db.sql`select ${all}::bytea`);
      expect(value).toBeInstanceOf(Uint8Array);
      expect(comparable(value)).toEqual(comparable(all));
    },
  },
  {
    title: "reads a row as its text",
    async run({ db }) {
      expect(await onlyValue(db.sql`select row(1, 'a b', null)`)).toBe('(1,"a b",)');
    },
  },
  {
    title: "reads void as empty text",
    async run({ db }) {
      expect(await onlyValue(db.sql`select pg_sleep(0)`)).toBe("");
    },
  },
  {
    title: "reads and writes xml, or says that the server was built without",
    async run({ db }) {
      const built = await onlyValue(
        db.sql`select count(*)::int = 1 from pg_config where name = 'CONFIGURE' and setting like '%with-libxml%'`,
      );
      const write = () => db.sql`select ${"<a>1</a>"}::xml as value`;
      if (built) expect(await write()).toEqual([{ value: "<a>1</a>" }]);
      else await failureOf(write, { name: "DatabaseError", code: "0A000", fate: "refused" });
    },
  },
  {
    title: "refuses a value that its domain does not allow",
    async run({ db }) {
      const error = await failureOf(() => db.sql`select ${-1}::positive`, { name: "DatabaseError", code: "23514", fate: "refused" });
      expect(error).toHaveProperty("dataType", "positive");
    },
  },
  {
    title: "refuses a label that its enum does not have",
    async run({ db }) {
      await failureOf(() => db.sql`select ${"merry"}::mood`, { code: "22P02", fate: "refused" });
    },
  },
  {
    title: "reads by the database's own parsers where it has some, and by no others'",
    async run({ db, open }) {
      const own = open({ types: { 20: BigInt, 1082: (text) => `day ${text}`, 1007: (text) => text } });
      const ask = sql`select 5::int8 as big, '2026-01-02'::date as day, '{1,2}'::int4[] as list, 1.5::numeric as same`;
      expect((await own.query(ask)).rows).toEqual([{ big: 5n, day: "day 2026-01-02", list: "{1,2}", same: "1.5" }]);
      expect((await db.query(ask)).rows[0]).toMatchObject({ big: "5", list: [1, 2] });
      expect(await own.transaction((tx) => tx.sql`select 5::int8 as big`)).toEqual([{ big: 5n }]);
      expect((await own.batch([sql`select 5::int8 as big`]))[0].rows).toEqual([{ big: 5n }]);
    },
  },
  {
    title: "says that a statement was done when a parser throws on its answer",
    async run({ open }) {
      const throwing = open({
        types: {
          25: () => {
            throw new Error("not this text");
          },
        },
      });
      await throwing.sql`delete from ledger where entry = 7001`;
      const write = () => throwing.sql`insert into ledger values (7001) returning 'x'::text`;
      await failureOf(write, { name: "DecodeError", code: "DECODE_FAILED", fate: "applied", retryable: false });
      const error = await failureOf(() => throwing.query("select 1 as n, null::text as nothing, 'x'::text as word"), {
        code: "DECODE_FAILED",
      });
      expect(error).toMatchObject({ column: "word", columnIndex: 2, typeId: 25, cause: { name: "Error" } });
      expect(error.message).toContain('its column "word" (type 25) could not be read');
      expect(`${error.cause} ${(error.cause as Error).stack}`).not.toContain("not this text");
      expect((error.cause as Error).stack).toMatch(/\n +at .*:\d+:\d+/);
      const second = () => throwing.batch([sql`select 1 as n`, sql`select 2 as n, 'x'::text as "__proto__"`]);
      expect(await failureOf(second, { code: "DECODE_FAILED", fate: "applied" })).toMatchObject({ column: "__proto__", columnIndex: 1 });
      const inside = () => throwing.transaction((tx) => tx.sql`select 'x'::text as word`);
      const undone = await failureOf(inside, { code: "DECODE_FAILED", fate: "refused" });
      expect(undone).toMatchObject({ column: "word", columnIndex: 0, typeId: 25, cause: { name: "Error" } });
      expect(undone.message).toMatch(/^The transaction was rolled back, but its column "word"/);
      expect(await onlyValue(throwing.sql`select count(*)::int from ledger where entry = 7001`)).toBe(1);
    },
  },
];

/** Every type that a setting of the role gives another form. */
const samples = sql`select
  '2026-02-03'::date as a, '2026-02-03 04:05:06.789'::timestamp as b, '2026-02-03 04:05:06.789+05:30'::timestamptz as c,
  '0044-03-15 BC'::date as d, 'infinity'::timestamptz as e, '{2026-02-03,NULL}'::date[] as f, array['2026-02-03 04:05'::timestamp] as g,
  array[['2026-02-03 04:05+00'::timestamptz], [null::timestamptz]] as h, '1890-01-01 00:00+00'::timestamptz as i`;
const intervals = sql`select '1 year 2 mons -3 days 04:05:06.789'::interval as a, '{1 day,NULL}'::interval[] as b`;

/** The same value, or an error that names the setting: never another value. */
const styled = (setting: string, value: string, sample: typeof samples, refused: boolean): Case => ({
  title: `${refused ? "refuses to read" : "reads"} what ${setting} ${value} writes`,
  async run({ db }) {
    const ask = () => db.batch([sql`select set_config(${setting}, ${value}, true)`, sample]);
    if (refused) {
      const error = await failureOf(ask, { name: "DecodeError", code: "DECODE_FAILED", fate: "applied" });
      expect(error.message).toMatch(new RegExp(setting, "i"));
    } else expect((await ask())[1]?.rows).toEqual((await db.query(sample)).rows);
  },
});

const styles: readonly Case[] = [
  ...["German", "SQL, DMY", "SQL, MDY", "Postgres, DMY", "Postgres, MDY"].map((style) => styled("DateStyle", style, samples, true)),
  styled("DateStyle", "ISO, DMY", samples, false),
  ...["iso_8601", "sql_standard", "postgres_verbose"].map((style) => styled("IntervalStyle", style, intervals, true)),
  ...["Europe/Amsterdam", "America/St_Johns"].map((zone) => styled("TimeZone", zone, samples, false)),
  {
    title: "refuses each of the date types alone where DateStyle is none of ISO, and null is null",
    async run({ db }) {
      for (const style of ["German", "SQL", "Postgres"]) {
        for (const type of ["date", "timestamp", "timestamptz"]) {
          for (const text of ["2026-02-03", "0044-03-15 BC", "0012-11-10", "12026-02-03"]) {
            const ask = (value: unknown) =>
              db.batch([sql`select set_config('datestyle', ${style}, true)`, sql`select ${value}::${sql.raw(type)} as at`]);
            const error = await failureOf(() => ask(text), { code: "DECODE_FAILED" });
            expect(error).toMatchObject({ column: "at", columnIndex: 0 });
            expect((await ask(null))[1]?.rows).toEqual([{ at: null }]);
          }
        }
      }
    },
  },
  {
    title: "reads what IntervalStyle sql_standard writes where it means the same",
    async run({ db }) {
      const ask = sql`select '-04:05:06.5'::interval as a, '14:05:06'::interval as b`;
      expect((await db.batch([sql`set local intervalstyle = 'sql_standard'`, ask]))[1]?.rows).toEqual((await db.query(ask)).rows);
    },
  },
  {
    title: "reads bytes whatever bytea_output is",
    async run({ db }) {
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      const awkward = new TextEncoder().encode("\\\\000\\'\"{},NULL\\x41");
      const ask = sql`select ${all}::bytea as a, ${[awkward, all]}::bytea[] as b, ''::bytea as c, ${awkward}::bytea as d`;
      const [, escaped] = await db.batch([sql`set local bytea_output = 'escape'`, ask]);
      const row = Object.values(escaped?.rows[0] ?? {}).map(comparable);
      expect(row).toEqual([all, [awkward, all], new Uint8Array(), awkward].map(comparable));
    },
  },
  {
    title: "leaves parsers of the database's own as they are, whatever the style",
    async run({ open }) {
      const own = open({ types: { 1082: (text) => text, 1186: (text) => text } });
      const ask = sql`select '2026-02-03'::date as day, '1 day'::interval as span`;
      const before = sql`select set_config('datestyle', 'German', true), set_config('intervalstyle', 'iso_8601', true)`;
      expect((await own.batch([before, ask]))[1]?.rows).toEqual([{ day: "03.02.2026", span: "P1D" }]);
    },
  },
  {
    title: "refuses to read a date that is later than a Date can be",
    async run({ db }) {
      for (const value of [sql`'294276-12-31'::timestamp`, sql`'5874897-12-31'::date`, sql`'{294276-12-31}'::timestamptz[]`]) {
        await failureOf(() => db.sql`select ${value}`, { name: "DecodeError", code: "DECODE_FAILED" });
      }
      expect(await db.sql`select '275760-09-12 00:00+00'::timestamptz as at`).toEqual([{ at: new Date(8.64e15 - 86_400_000) }]);
    },
  },
];

/** Values of every type, both ways. */
export const types: Subject = {
  title: "types",
  cases: [...typeSamples.flatMap((sample) => [reading(sample), writing(sample)]), ...special, ...styles],
};
