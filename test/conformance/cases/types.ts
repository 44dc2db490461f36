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
      expect(await onlyValue(throwing.sql`select count(*)::int from ledger where entry = 7001`)).toBe(1);
    },
  },
];

/** Values of every type, both ways. */
export const types: Subject = {
  title: "types",
  cases: [...typeSamples.flatMap((sample) => [reading(sample), writing(sample)]), ...special],
};
