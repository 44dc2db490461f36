import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";

/** Statements in the order they run, with their command and row count. */
type Step = readonly [text: string, command: string, rowCount: number | null];

const counting = (title: string, ...steps: readonly Step[]): Case => ({
  title: `counts ${title}`,
  async run({ db }) {
    const seen: Step[] = [];
    for (const [text] of steps) {
      const { command, rowCount } = await db.query(text);
      seen.push([text, command ?? "", rowCount]);
    }
    expect(seen).toEqual(steps);
  },
});

const cases: readonly Case[] = [
  counting("SELECT", ["select * from person", "SELECT", 3], ["select 1 where false", "SELECT", 0]),
  counting(
    "VALUES, TABLE and WITH",
    ["values (1), (2)", "SELECT", 2],
    ["table person", "SELECT", 3],
    ["with p as (select 1) select * from p", "SELECT", 1],
  ),
  counting(
    "INSERT, UPDATE and DELETE",
    ["insert into ledger values (1001), (1001), (1001)", "INSERT", 3],
    ["update ledger set entry = 1002 where entry = 1001", "UPDATE", 3],
    ["update ledger set entry = 0 where entry = -1", "UPDATE", 0],
    ["delete from ledger where entry = 1002", "DELETE", 3],
  ),
  counting(
    "MERGE",
    ["merge into ledger using (values (1003), (1004)) s (n) on entry = s.n when not matched then insert values (s.n)", "MERGE", 2],
    ["merge into ledger using (values (1003), (1004)) s (n) on entry = s.n when matched then delete", "MERGE", 2],
  ),
  counting(
    "WITH by its last command",
    ["with gone as (delete from ledger where entry = -1 returning 1) insert into ledger values (1005)", "INSERT", 1],
    ["with added as (insert into ledger values (1005) returning 1) select * from added", "SELECT", 1],
    ["delete from ledger where entry = 1005", "DELETE", 2],
  ),
  counting(
    "no rows for definitions",
    ["create table made (a int)", "CREATE", null],
    ["alter table made add column b text", "ALTER", null],
    ["create index on made (a)", "CREATE", null],
    ["comment on table made is 'x'", "COMMENT", null],
    ["create view seen as select * from made", "CREATE", null],
    ["drop view seen", "DROP", null],
    ["truncate made", "TRUNCATE", null],
    ["drop table made", "DROP", null],
  ),
  counting(
    "CREATE TABLE AS and SELECT INTO",
    ["create table made_as as select * from person", "SELECT", 3],
    ["drop table made_as", "DROP", null],
  ),
  counting(
    "no rows for DO, CALL, SET and NOTIFY",
    ["do $$ begin null; end $$", "DO", null],
    ["call add_entry(1006)", "CALL", null],
    ["set local work_mem = '1MB'", "SET", null],
    ["notify nobody", "NOTIFY", null],
    ["analyze ledger", "ANALYZE", null],
  ),
  {
    title: "gives rows by RETURNING",
    async run({ db }) {
      const { rows, rowCount, command } = await db.query(sql`insert into item (word) values (${"a"}), (${"b"}) returning word, amount`);
      expect({ rows, rowCount, command }).toEqual({
        rows: [
          { word: "a", amount: "1" },
          { word: "b", amount: "1" },
        ],
        rowCount: 2,
        command: "INSERT",
      });
      expect(
        (await db.query("update item set amount = 2 where word in ('a', 'b') returning old.amount as before, new.amount as after")).rows,
      ).toEqual([
        { before: "1", after: "2" },
        { before: "1", after: "2" },
      ]);
      expect(await db.query("delete from item where word in ('a', 'b') returning id is not null as had")).toMatchObject({
        rows: [{ had: true }, { had: true }],
        command: "DELETE",
      });
    },
  },
  {
    title: "counts an insert that its conflict clause left out",
    async run({ db }) {
      const { rows, rowCount } = await db.query("insert into person values (1, 'Nobody') on conflict do nothing returning id");
      expect({ rows, rowCount }).toEqual({ rows: [], rowCount: 0 });
    },
  },
  {
    title: "gives what CALL hands back",
    async run({ db }) {
      const { rows, command } = await db.query("call double_it($1)", [21]);
      expect({ rows, command }).toEqual({ rows: [{ number: 42 }], command: "CALL" });
    },
  },
  {
    title: "gives EXPLAIN as rows, and as JSON",
    async run({ db }) {
      const { rows, command } = await db.query<{ "QUERY PLAN": string }>("explain select 1");
      expect(command).toBe("EXPLAIN");
      expect(rows[0]?.["QUERY PLAN"]).toMatch(/^Result/);
      const [row] = await db.sql<{ "QUERY PLAN": { Plan: { "Node Type": string } }[] }>`explain (format json) select 1`;
      expect(row?.["QUERY PLAN"][0]?.Plan["Node Type"]).toBe("Result");
    },
  },
  {
    title: "gives SHOW as a row",
    async run({ db }) {
      const { rows, command, rowCount } = await db.query("show server_encoding");
      expect({ rows, command, rowCount }).toEqual({ rows: [{ server_encoding: "UTF8" }], command: "SHOW", rowCount: null });
    },
  },
  {
    title: "refuses two statements in one text, and does neither",
    async run({ db }) {
      await failureOf(() => db.query("insert into ledger values (1007); insert into ledger values (1007)"), {
        name: "DatabaseError",
        code: "42601",
        fate: "refused",
      });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 1007`)).toBe(0);
    },
  },
  {
    title: "refuses COPY from the client, and copies nothing",
    async run({ db }) {
      await failureOf(() => db.query("copy ledger from stdin"), { name: "DatabaseError", code: "57014" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry is null`)).toBe(0);
    },
  },
  ...[
    "begin",
    "START TRANSACTION",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint a",
    "release a",
    "rollback to a",
    "prepare transaction 'x'",
    "/* x */ -- y\n commit",
    ";commit",
    "-- x\rcommit",
    "; /* ; */ ;\fPREPARE/**/TRANSACTION 'x'",
  ].map(
    (text): Case => ({
      title: `refuses ${JSON.stringify(text)} outside a session`,
      async run({ db }) {
        await failureOf(() => db.query(text), { name: "UsageError", code: "TRANSACTION_CONTROL", fate: "not-sent" });
      },
    }),
  ),
  {
    title: "runs a read-only query, and lets it write nothing",
    async run({ db }) {
      expect((await db.query("select current_setting('transaction_read_only') as v", [], { readOnly: true })).rows).toEqual([{ v: "on" }]);
      await failureOf(() => db.query("insert into ledger values (1008)", [], { readOnly: true }), { code: "25006", fate: "refused" });
      await db.query("insert into ledger values (1009)");
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry in (1008, 1009)`)).toBe(1);
    },
  },
];

/** Commands, with what they count. */
export const commands: Subject = { title: "commands", cases };
