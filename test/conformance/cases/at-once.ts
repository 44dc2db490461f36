import { expect } from "vitest";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const twenty = Array.from({ length: 20 }, (_, n) => n);

const cases: readonly Case[] = [
  {
    title: "gives each of many calls at once its own answer, of a text that is new, and of one that is known",
    async run({ db, mark }) {
      for (let time = 0; time < 3; time++) {
        const answers = twenty.map((n) =>
          onlyValue(db.query(`select $1::int as n, '${mark}' is null from (select) as at_once`, [n]).then(first)),
        );
        expect(await Promise.all(answers)).toEqual(twenty);
      }
    },
  },
  {
    title: "refuses one of many calls at once by itself",
    async run({ db }) {
      const divide = (n: number) => onlyValue(db.query("select 12 / $1::int as n", [n]).then(({ rows }) => rows));
      for (let time = 0; time < 3; time++) {
        const answers = [1, 2, 3].flatMap((n) => [divide(n), failureOf(() => divide(0), { code: "22012", fate: "refused" })]);
        expect((await Promise.all(answers)).filter((answer) => typeof answer === "number")).toEqual([12, 6, 4]);
      }
    },
  },
  {
    title: "does each of many writes at once once",
    async run({ open, mark }) {
      const db = open({ name: `${mark} at once`, max: 1 });
      await db.sql`create table many_at_once (n int)`;
      for (let time = 0; time < 3; time++) await Promise.all(twenty.map((n) => db.sql`insert into many_at_once values (${n})`));
      expect(await onlyValue(db.sql`select string_agg(n::text, ' ' order by n) from (select distinct n from many_at_once) as seen`)).toBe(
        twenty.join(" "),
      );
      expect(await onlyValue(db.sql`select count(*)::int from many_at_once`)).toBe(60);
      await db.sql`drop table many_at_once`;
    },
  },
];

/** Only the number: what else the row holds is there to make the text one of this suite's own. */
function first({ rows }: { readonly rows: readonly Record<string, unknown>[] }): readonly Record<string, unknown>[] {
  return rows.map(({ n }) => ({ n }));
}

/** What many calls at once are answered. */
export const atOnce: Subject = { title: "many calls at once", cases };
