import { expect } from "vitest";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

const cases: readonly Case[] = [
  {
    title: "sends 65,535 parameters",
    async run({ db }) {
      const values = Array.from({ length: 65_535 }, (_, i) => i);
      const { rows } = await db.query(`select cardinality(array[${values.map((i) => `$${i + 1}`).join()}]::int[]) as n`, values);
      expect(rows).toEqual([{ n: 65_535 }]);
    },
  },
  {
    title: "refuses 65,536 parameters before anything is sent",
    async run({ db }) {
      const values = new Array(65_536).fill(1);
      await failureOf(() => db.query("select 1", values), { name: "UsageError", code: "TOO_MANY_PARAMETERS", fate: "not-sent" });
    },
  },
  {
    title: "sends and gives a text of 1 MB",
    async run({ db }) {
      const text = "äx".repeat(349_525);
      const { rows } = await db.query<{ back: string; bytes: number }>("select $1::text as back, octet_length($1::text) as bytes", [text]);
      expect(rows[0]?.bytes).toBe(1_048_575);
      expect(rows[0]?.back === text).toBe(true);
    },
  },
  {
    title: "sends and gives 1 MB of bytes",
    async run({ db }) {
      const bytes = Uint8Array.from({ length: 1_048_576 }, (_, i) => i % 251);
      const back = (await onlyValue(db.sql`select ${bytes}::bytea`)) as Uint8Array;
      expect(back.length).toBe(bytes.length);
      expect(back.every((byte, i) => byte === i % 251)).toBe(true);
    },
  },
  {
    title: "sends an array of 10,000 items",
    async run({ db }) {
      const numbers = Array.from({ length: 10_000 }, (_, i) => i);
      expect(await db.sql`select count(*)::int as n, sum(v)::int as sum from unnest(${numbers}::int[]) v`).toEqual([
        { n: 10_000, sum: 49_995_000 },
      ]);
    },
  },
  {
    title: "sends a statement of 1 MB",
    async run({ db }) {
      expect((await db.query(`select /* ${"long ".repeat(200_000)} */ 1 as n`)).rows).toEqual([{ n: 1 }]);
    },
  },
  {
    title: "gives a document nested 500 deep",
    async run({ db }) {
      const depth = 500;
      const value = await onlyValue(
        db.query(`select (repeat('[', $1::int) || repeat(']', $1::int))::json as deep`, [depth]).then(({ rows }) => rows),
      );
      let levels = 0;
      for (let at = value; Array.isArray(at); at = at[0]) levels++;
      expect(levels).toBe(depth);
    },
  },
  {
    title: "keeps a name of 63 bytes, and cuts a longer one as Postgres does",
    async run({ db }) {
      const [row] = await db.query(`select 1 as "${"n".repeat(63)}", 2 as "${"m".repeat(70)}"`).then(({ rows }) => rows);
      expect(Object.keys(row ?? {})).toEqual(["n".repeat(63), "m".repeat(63)]);
    },
  },
  {
    title: "reads no more of an answer than maxResponseBytes",
    async run({ open, mark, transport }) {
      const narrow = open({ maxResponseBytes: 20_000, name: `${mark} narrow` });
      const long = () => narrow.query("select repeat('x', 20000) as long", [], { readOnly: true });
      // over HTTP a body that was not read to its end proves no more
      const [name, fate] = transport === "http" ? (["ConnectionError", "unknown"] as const) : (["DecodeError", "applied"] as const);
      await failureOf(long, { name, fate, code: "RESPONSE_TOO_LARGE", retryable: false });
      const transaction = () => narrow.transaction((tx) => tx.sql`select length(repeat('x', 20000)) as n, repeat('x', 20000) as long`);
      await failureOf(transaction, { name: "DecodeError", code: "RESPONSE_TOO_LARGE", fate: "refused", retryable: false });
      expect((await narrow.query("select repeat('x', 15000) as long")).rows).toHaveLength(1);
    },
  },
  {
    title: "runs a hundred queries at once",
    async run({ db }) {
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => onlyValue(db.sql`select ${n}::int`)));
      expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => n));
    },
  },
];

/** What is large or much. */
export const limits: Subject = { title: "limits", cases };
