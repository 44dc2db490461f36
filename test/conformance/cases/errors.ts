import { expect } from "vitest";
import { type Sql, sql } from "../../../src/database/sql.ts";
import { DatabaseError, type ServerFields } from "../../../src/errors/database-error.ts";
import { isWarmlineError, WarmlineError } from "../../../src/errors/errors.ts";
import { type Case, failureOf, onlyValue, type Subject } from "../case.ts";
import { serverFieldNames } from "../server-fields.ts";

type Fields = Partial<Record<keyof ServerFields, unknown>>;

const text = expect.any(String) as unknown;

/** Fields of every error of the server. */
const always: Fields = { severity: "ERROR", file: text, line: text, routine: text };

/** A statement, its SQLSTATE and its fields besides those of every error; what is not named must be undefined. */
export type Refusal = readonly [title: string, statement: string, code: string, fields: Fields, values?: readonly unknown[]];

const inPerson: Fields = { schema: text, table: "person" };

/** What the server refuses, with the fields it tells. */
export const refusals: readonly Refusal[] = [
  ["a syntax error", "select nonsense from", "42601", { position: "21" }],
  ["an unknown column, with a hint", "select nam from person", "42703", { position: "8", hint: text }],
  ["an unknown table", "select * from nowhere", "42P01", { position: "15" }],
  ["an unknown function", "select no_such_function(1)", "42883", { position: "8", hint: text }],
  ["an ambiguous column", "select id from person a, person b", "42702", { position: "8" }],
  ["a division by zero", "select 1/0", "22012", {}],
  ["a text that is no number", "select $1::int", "22P02", { where: text }, ["no number"]],
  ["a number out of range", "select 100000::int2", "22003", {}],
  ["a date that does not exist", "select '2026-02-30'::date", "22008", { position: "8" }],
  ["an invalid regular expression", "select 'a' ~ '('", "2201B", {}],
  ["a unique violation", "insert into person values (1, 'Someone')", "23505", { ...inPerson, constraint: "person_key", detail: text }],
  ["a missing value", "insert into person values (9, null)", "23502", { ...inPerson, column: "name", detail: text }],
  ["a check violation", "insert into person values (9, 'x', -1)", "23514", { ...inPerson, constraint: "person_age_check", detail: text }],
  [
    "a missing reference",
    "insert into person values (9, 'x', 1, 99)",
    "23503",
    { ...inPerson, constraint: "person_boss_reference", detail: text },
  ],
  [
    "a row still referred to",
    "delete from person where id = 1",
    "23503",
    { ...inPerson, constraint: "person_boss_reference", detail: text },
  ],
  ["a domain violation", "select 0::positive", "23514", { schema: text, dataType: "positive", constraint: "positive_check" }],
  ["an object in use", "drop type mood_that_is_not", "42704", {}],
  ["an object others need", "drop function label", "42883", {}],
  ["a cast that is not there", "select '1'::text::point[]::int", "42846", { position: text }],
  ["a wrong number of columns", "insert into ledger values (1, 2)", "42601", { position: text }],
  ["a grouping error", "select id, count(*) from person", "42803", { position: "8" }],
  ["a parameter of unknown type", "select $1 is null", "42P18", {}, [1]],
  [
    "an error inside a function, with where it was",
    "select fail_inside()",
    "42601",
    { where: text, internalQuery: "select nonsense from", internalPosition: "21" },
  ],
  [
    "every field a function can set",
    "select fail_with_everything()",
    "WL001",
    {
      detail: "the detail",
      hint: "the hint",
      column: "the column",
      constraint: "the constraint",
      dataType: "the type",
      table: "the table",
      schema: "the schema",
      where: text,
    },
  ],
  ["a failed assertion", "do $$ begin assert false, 'not so'; end $$", "P0004", { where: text }],
  ["a feature that is not there", "select * from person for update skip locked nowait", "42601", { position: text }],
  ["a limit that is negative", "select 1 limit -1", "2201W", {}],
  ["more than one row from a subquery", "select (select id from person)", "21000", {}],
  ["an invalid byte sequence", "select convert_from('\\xff', 'UTF8')", "22021", {}],
  ["an invalid JSON text", "select '{a}'::json", "22P02", { position: "8", detail: text, where: text }],
  ["a setting that does not exist", "set local no_such_setting = 1", "42704", {}],
];

/** A DO may have committed before it failed. */
const fateOf = (statement: string) => (statement.startsWith("do ") ? "unknown" : "refused");

const refusing = ([title, statement, code, fields, values]: Refusal): Case => ({
  title: `tells ${title} with all its fields`,
  async run({ db }) {
    const error = await failureOf(() => db.query(statement, values), {
      name: "DatabaseError",
      code,
      fate: fateOf(statement),
      retryable: false,
    });
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toHaveProperty("sqlState", code);
    const none = Object.fromEntries(serverFieldNames.map((name) => [name, undefined]));
    const seen = Object.fromEntries(serverFieldNames.map((name) => [name, (error as DatabaseError)[name]]));
    expect(seen).toEqual({ ...none, ...always, ...fields });
  },
});

/** SQLSTATEs a function raises, and what they mean for the statement. Fate rules: docs/architecture.md. */
const fates = [
  ["40001", "refused", true],
  ["40P01", "refused", true],
  ["55P03", "refused", false],
  ["53400", "refused", false],
  // at severity ERROR these are errors like any other
  ["08006", "refused", false],
  ["57P02", "refused", false],
  ["58030", "refused", false],
  ["XX000", "refused", false],
  // nobody knows, by their name
  ["08007", "unknown", false],
  ["40003", "unknown", false],
] as const;

const cases: readonly Case[] = [
  ...refusals.map(refusing),
  ...fates.map(
    ([code, fate, retryable]): Case => ({
      title: `gives ${code} the fate ${fate}`,
      async run({ db }) {
        await failureOf(() => db.query("select fail_with($1)", [code], { deadlineMs: 20_000 }), {
          name: "DatabaseError",
          code,
          fate,
          retryable,
        });
      },
    }),
  ),
  {
    title: "gives the server's message as its own",
    async run({ db }) {
      const error = await failureOf(() => db.query("select fail_with_everything()"), { code: "WL001" });
      expect(error.message).toBe("the message");
    },
  },
  {
    title: "says what to write where an array was read as JSON, or as one of a list",
    async run({ db }) {
      const canary = "canary-5f1c";
      for (const array of [[1, 2], [canary], [{ a: canary }], [[1], [2]]]) {
        const json = await failureOf(() => db.sql`select ${array}::jsonb`, { code: "22P02" });
        expect(json.message).toMatch(/An array is sent as one of Postgres: for JSON write sql\.json\(…\)$/);
        const listed = await failureOf(() => db.sql`select id from person where id in (${array})`, { code: "22P02" });
        expect(listed.message).toMatch(/An array is sent as one value: write = any\(…\) with it, or in \(…\) with sql\.join$/);
        expect(json.message + listed.message).not.toContain(canary);
      }
      const ragged = await failureOf(() => db.sql`select ${[[1], [2, 3]]}::int[]`, { code: "22P02" });
      expect(ragged.message).toMatch(/Lists in an array are of one length: for others write sql\.json\(…\)$/);
      for (const other of ["no number", { a: 1 }, 'x"{}']) {
        const error = await failureOf(() => db.sql`select id from person where id = ${other}`, { code: "22P02" });
        expect(error.message).not.toContain("array");
      }
      const elsewhere = [
        () => db.sql`select id from person where id = any(${["abc"]})`,
        () => db.sql`select id from person where id in (${"x"}) and ${[1]}::int[] is not null`,
        () => db.sql`select ${"no json"}::jsonb, ${[1, 2]}::int[]`,
        () => db.sql`select jsonb_set('{}', ${["a"]}, ${"no json"})`,
      ];
      for (const call of elsewhere) expect((await failureOf(call, { code: "22P02" })).message).not.toContain("write");
    },
  },
  {
    title: "says what to write where a typed array was read as an array or a number",
    async run({ db }) {
      for (const call of [
        () => db.sql`select ${new Float32Array([1.5])}::float4[]`,
        () => db.sql`select ${Uint8Array.of(1, 2)}::int`,
        () => db.sql`select ${new ArrayBuffer(0)}::int[]`,
      ]) {
        expect((await failureOf(call, { code: "22P02" })).message).toMatch(/A typed array is sent as bytes: write Array\.from\(…\)/);
      }
      for (const call of [() => db.sql`select ${Uint8Array.of(1)}::bytea, ${"x"}::int`, () => db.sql`select ${"\\xyz"}::int`]) {
        expect((await failureOf(call, { code: "22P02" })).message).not.toContain("typed array");
      }
    },
  },
  {
    title: "says what to write where no value can stand, told by the place the server points at",
    async run({ db, transport }) {
      const hint = "No value can stand there: for a list write = any(…) with it, or in (…) with sql.join, for a name sql.id(…)";
      for (const call of [
        () => db.sql`select id from person where id in ${[1]}`,
        () => db.sql`select ${"name"}.id from ${"person"}`,
        // the server counts characters, and these take two places of a text each
        () => db.sql`select '🎈🎈', id from person where id in ${[1]}`,
      ]) {
        expect((await failureOf(call, { code: "42601" })).message).toContain(hint);
      }
      const elsewhere = await failureOf(() => db.sql`select '🎈' from from person where id = ${1}`, { code: "42601" });
      expect(elsewhere.message).not.toContain("No value");
      // over HTTP nobody tells which one of a batch failed
      if (transport === "http") return;
      const batch = await failureOf(() => db.batch([sql`select 1+ 1+${1}`, sql`select from from`]), { code: "42601" });
      expect(batch).toMatchObject({ statementIndex: 1, position: "13" });
      expect(batch.message).not.toContain("No value");
    },
  },
  {
    title: "says what runs several statements where a text of several is sent as one",
    async run({ db }) {
      const hint = "Several go by batch([…]) or db.script(…)";
      for (const call of [
        () => db.query("select 1; select 2"),
        () => db.sql`select ${1}::int; select 2`,
        () => db.batch([sql`select 1; select 2`]),
      ]) {
        expect((await failureOf(call, { code: "42601" })).message).toContain(hint);
      }
    },
  },
  {
    title: "takes sql.json where a value stands, and says where any other piece of SQL belongs",
    async run({ db }) {
      expect((await db.query("select $1::jsonb = '[1]' as same, $2::jsonb[] as list", [sql.json([1]), [sql.json({ a: 1 })]])).rows).toEqual(
        [{ same: true, list: [{ a: 1 }] }],
      );
      const error = await failureOf(() => db.query("select $1", [sql`now()`]), { code: "UNSUPPORTED_VALUE" });
      expect(error.message).toBe("Parameter $1 holds sql`…` where a value stands; write the statement as sql`…`, and the piece in it.");
    },
  },
  {
    title: "keeps parameter values out of messages",
    async run({ db }) {
      const canary = "canary-5f1c";
      const error = await failureOf(() => db.sql`select ${canary}::int`, { code: "22P02" });
      expect([error.message, String(error), error.stack, JSON.stringify(error)].join()).not.toContain(canary);
      const violation = await failureOf(() => db.sql`insert into person select id, ${canary} || name from person`, { code: "23505" });
      expect([violation.message, JSON.stringify(violation)].join()).not.toContain(canary);
    },
  },
  {
    title: "shows the fields that quote rows by name only",
    async run({ db }) {
      const error = await failureOf(() => db.query("insert into person values (1, 'Someone')"), { code: "23505" });
      expect(error).toHaveProperty("detail", "Key (id)=(1) already exists.");
      expect(Object.keys(error)).not.toContain("detail");
      expect(Object.keys(error)).toEqual(
        expect.arrayContaining(["code", "fate", "retryable", "sqlState", "severity", "table", "constraint"]),
      );
    },
  },
  {
    title: "gives errors that are told by class and by isWarmlineError",
    async run({ db }) {
      const error = await failureOf(() => db.query("select 1/0"), { name: "DatabaseError", code: "22012" });
      expect(error).toBeInstanceOf(WarmlineError);
      expect(error).toBeInstanceOf(Error);
      expect(isWarmlineError(error)).toBe(true);
      expect(isWarmlineError(new Error("x"))).toBe(false);
    },
  },
  {
    title: "counts the position in characters of the statement",
    async run({ db }) {
      const error = await failureOf(() => db.query("select 'ü🐘日本', nonsense"), { code: "42703" });
      expect(error).toHaveProperty("position", "16");
    },
  },
  {
    title: "has the statement's text, and in its stack the line with a caret below the place",
    async run({ db }) {
      const statement = "select 'ü🐘', $$canary$$,\n\tnonsense\nfrom person";
      const line = "\n     nonsense\n     ^";
      const inOthers = [
        (sent: Sql) => db.query(sent),
        (sent: Sql) => db.query(sent, { readOnly: true }),
        (sent: Sql) => db.transaction((tx) => tx.query(sent)),
        (sent: Sql) => db.session((session) => session.query(sent)),
        (sent: Sql) => db.batch([sent]),
      ];
      for (const send of inOthers) {
        const error = await failureOf(() => send(sql.raw(statement)), { code: "42703" });
        expect(error).toHaveProperty("statement", "select '**', $$******$$,\n\tnonsense\nfrom person");
        expect(error.stack).toContain(`DatabaseError: ${error.message}${line}`);
      }
    },
  },
  {
    title: "shows in its stack the function that awaits the call, whatever the call is",
    async run({ db }) {
      const bad = sql.raw("select nonsense");
      const each: Readonly<Record<string, () => Promise<unknown>>> = {
        query: async function theCaller() {
          return await db.query(bad);
        },
        tag: async function theCaller() {
          return await db.sql`select nonsense`;
        },
        batch: async function theCaller() {
          return await db.batch([sql`select 1`, bad]);
        },
        transaction: () =>
          db.transaction(async function theCaller(tx) {
            await tx.query(bad);
          }),
        session: () =>
          db.session(async function theCaller(session) {
            await session.query(bad);
          }),
        "transaction of a session": () =>
          db.session((session) =>
            session.transaction(async function theCaller(tx) {
              await tx.query(bad);
            }),
          ),
        stream: async function theCaller() {
          for await (const row of db.stream(bad)) expect(row).toBeUndefined();
        },
        "stream that breaks later": async function theCaller() {
          const late = sql.raw("select 1/(150 - n) from generate_series(1, 200) as n");
          for await (const row of db.stream(late, { batchSize: 10 })) expect(row).toBeDefined();
        },
        "batches of a stream": async function theCaller() {
          for await (const rows of db.stream(bad).batches()) expect(rows).toBeUndefined();
        },
        "stream of a transaction": () =>
          db.transaction(async function theCaller(tx) {
            for await (const row of tx.stream(bad)) expect(row).toBeUndefined();
          }),
        "stream of a session": () =>
          db.session(async function theCaller(session) {
            for await (const row of session.stream(bad)) expect(row).toBeUndefined();
          }),
        deadline: async function theCaller() {
          return await db.query("select pg_sleep(10)", [], { deadlineMs: 50 });
        },
      };
      for (const [name, send] of Object.entries(each)) {
        const { stack } = await failureOf(send, { code: expect.any(String) });
        expect(stack, name).toMatch(/\n {4}at .*theCaller/);
      }
    },
  },
  {
    title: "blanks what stands in strings wherever they begin and end, and nothing else",
    async run({ db }) {
      const canary = "canary";
      const texts: readonly (readonly [string, string])[] = [
        [`-- don't\n'${canary}'`, "-- don't\n'******'"],
        [`/* it's /* one */ isn't */ '${canary}'`, "/* it's /* one */ isn't */ '******'"],
        [`1 as "it's", '${canary}'`, `1 as "it's", '******'`],
        [`E'it\\'s ${canary}', '${canary}'`, "E'***'* ******', '******'"],
        [`'it''s ${canary}'\n'${canary}'`, "'**''* ******'\n'******'"],
        [`1 as a$b$, '${canary}'`, "1 as a$b$, '******'"],
        [`$a$it's ${canary}$a$, U&'${canary}'`, "$*$**'* ******$*$, U&'******'"],
      ];
      for (const [text, shown] of texts) {
        const error = await failureOf(() => db.query(`select ${text}, nonsense`), { code: "42703" });
        expect(error).toHaveProperty("statement", `select ${shown}, nonsense`);
        expect(error.stack).not.toContain(canary);
      }
    },
  },
  {
    title: "shows no more of a long line than stands around the place",
    async run({ db }) {
      const before = Array.from({ length: 100 }, (_, number) => `${number} as n${number}`).join(", ");
      const error = await failureOf(() => db.query(`select ${before}, nonsense, 1 as one`), { code: "42703" });
      const [, line = "", caret = ""] = /\n {4}(.*)\n {4}( *)\^/.exec(error.stack ?? "") ?? [];
      expect(line.slice(caret.length, caret.length + 8)).toBe("nonsense");
      expect(line.length).toBeLessThanOrEqual(120);
    },
  },
  {
    title: "points nowhere in a statement that was refused for a value, and shows none",
    async run({ db }) {
      const error = await failureOf(() => db.sql`select ${"canary-5f1c"}::int as n`, { code: "22P02" });
      expect(error).toHaveProperty("statement", "select $1::int as n");
      expect(`${error.stack} ${JSON.stringify(error)}`).not.toMatch(/\^|canary/);
    },
  },
  {
    title: "tells a wrong number of parameters",
    async run({ db }) {
      await failureOf(() => db.query("select $1::int, $2::int", [1]), { name: "DatabaseError", code: "08P01" });
      await failureOf(() => db.query("select 1", [1]), { name: "DatabaseError", code: "08P01" });
    },
  },
  {
    title: "undoes what a failing statement did before it failed",
    async run({ db }) {
      await failureOf(() => db.query("insert into ledger select 2001 from generate_series(0, 5) n where 1 / (n - 5) < 9"), {
        code: "22012",
      });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 2001`)).toBe(0);
    },
  },
  {
    title: "fails one of several concurrent queries without touching the others",
    async run({ db }) {
      const settled = await Promise.allSettled([
        db.sql`select 1 as n`,
        db.sql`select 1/0`,
        db.sql`select 3 as n`,
        db.sql`select nonsense`,
        db.sql`select 5 as n`,
      ]);
      expect(settled.map((one) => (one.status === "fulfilled" ? one.value[0]?.n : (one.reason as WarmlineError).code))).toEqual([
        1,
        "22012",
        3,
        "42703",
        5,
      ]);
    },
  },
  {
    title: "does not try a refused statement again",
    async run({ db }) {
      await db.query("create sequence tries");
      await failureOf(() => db.query("select nextval('tries'), fail_with('22012')", [], { idempotent: true }), {
        code: "22012",
      });
      expect(await onlyValue(db.sql`select nextval('tries')`)).toBe("2");
    },
  },
  {
    title: "tries a conflict of transactions again, and says how often",
    async run({ db }) {
      await db.query("create sequence conflicts");
      const { rows, via } = await db.query("select case when nextval('conflicts') < 3 then fail_with('40001')::text else 'done' end as v");
      expect(rows).toEqual([{ v: "done" }]);
      expect(via.attempts).toBe(3);
    },
  },
];

/** Errors of the server. */
export const errors: Subject = { title: "errors", cases };
