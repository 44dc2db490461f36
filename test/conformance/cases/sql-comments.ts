import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { Case, Subject } from "../case.ts";

const traceparent = "/*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/";
/** What the server was sent: the statement it is at shows itself. */
const own = "select query from pg_stat_activity where pid = pg_backend_pid()";

const cases: readonly Case[] = [
  {
    title: "puts the comment of the caller's trace behind every statement, and shows it to nobody else",
    async run({ open }) {
      const asked: string[] = [];
      const db = open({
        sqlCommenter: (text) => {
          asked.push(text);
          return traceparent;
        },
      });
      const told: unknown[] = [];
      db.subscribe((event) => event.type === "query" && told.push(...event.texts));
      const sent = `${own} ${traceparent}`;
      expect((await db.query(own)).rows).toEqual([{ query: sent }]);
      expect((await db.query(own, [], { readOnly: true })).rows).toEqual([{ query: sent }]);
      const [, second] = await db.batch([sql`select 1`, { text: own }]);
      expect(second?.rows).toEqual([{ query: sent }]);
      expect(await db.transaction(async (tx) => (await tx.query(own)).rows)).toEqual([{ query: sent }]);
      expect(await db.session(async (session) => (await session.query(own)).rows)).toEqual([{ query: sent }]);
      for await (const row of db.stream(own)) expect(row).toEqual({ query: sent });
      expect(new Set([...asked, ...told])).toEqual(new Set([own, "select 1"]));
    },
  },
  {
    title: "gives the same rows and errors with it, however often a text comes",
    async run({ open }) {
      let calls = 0;
      const db = open({
        sqlCommenter: () => `/*traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-${String(++calls).padStart(16, "0")}-01'*/`,
      });
      for (let n = 1; n <= 4; n++) expect(await db.sql`select ${n}::int as n`).toEqual([{ n }]);
      const failure = await db.query("select nothing_there").catch((error) => error);
      expect(failure).toMatchObject({ code: "42703", position: "8" });
      expect(failure.message).not.toContain("traceparent");
      expect(calls).toBe(5);
    },
  },
  {
    title: "tells of what ends too soon as if there were no comment",
    async run({ open }) {
      const [bare, db] = [open(), open({ sqlCommenter: () => traceparent })];
      for (const text of ["select 1 +", "select 'é😀' +", 'select "open', "select $$open", "select /* open"]) {
        const [expected, failure] = await Promise.all([bare, db].map((one) => one.query(text).catch((error) => error)));
        const { code, message, position } = expected;
        expect(failure, text).toMatchObject({ code, message, position });
      }
      const failure = await db.query("select 'open").catch((error) => error);
      expect(failure).toMatchObject({ code: "42601", message: expect.stringMatching(/^syntax error at end of input/), position: "13" });
    },
  },
  {
    title: "leaves out what is no such comment, and that of a function that throws",
    async run({ open }) {
      for (const given of ["", "*/; drop table person; /*", "/* */ select 2 /* */", "-- x", "/*a='b'*/;", 7, null, undefined]) {
        const db = open({ sqlCommenter: (() => given) as never });
        expect((await db.query(own)).rows).toEqual([{ query: own }]);
      }
      const db = open({
        sqlCommenter: () => {
          throw new Error("of the tracer");
        },
      });
      expect((await db.query(own)).rows).toEqual([{ query: own }]);
    },
  },
];

/** Comments that a tracer has sent behind statements. */
export const sqlComments: Subject = { title: "comments of a trace", cases };
