import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { failureOf, openDirect, openPool, urlAt } from "../core/databases.ts";

const schema = "injection";
let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  await using direct = await openDirect();
  await direct.query(`create schema ${schema}; create table ${schema}.kept (word text); insert into ${schema}.kept values ('kept');
    create table ${schema}.written (word text); create table ${schema}.changed (word text); insert into ${schema}.changed values ('')`);
});
afterAll(async () => {
  await endpoint.stop();
  await using direct = await openDirect();
  await direct.query(`drop schema ${schema} cascade`);
});

/** Texts that end a literal, an identifier, a comment or a statement, in one quoting or another. */
const attacks: readonly string[] = [
  `'; drop table ${schema}.kept; --`,
  `"; drop table ${schema}.kept; --`,
  `'); drop table ${schema}.kept; --`,
  `\\'; drop table ${schema}.kept; --`,
  `' or '1'='1`,
  `1; drop table ${schema}.kept`,
  `1 union select word from ${schema}.kept`,
  `$1; drop table ${schema}.kept`,
  `$$; drop table ${schema}.kept; $$`,
  `*/ drop table ${schema}.kept; /*`,
  `--\n; drop table ${schema}.kept; --`,
  `E'\\x27; drop table ${schema}.kept; --`,
  `\u02bc; drop table ${schema}.kept; --`,
  `{"a": "'; drop table ${schema}.kept; --"}`,
  `{${schema}.kept,"'}`,
  `commit; drop table ${schema}.kept`,
];

/** Every public way of putting a text where SQL is built, as the value it is meant to be; gives what came back. */
const asValue: readonly (readonly [string, (db: Database, text: string) => Promise<unknown>])[] = [
  ["db.sql", async (db, text) => (await db.sql`select ${text}::text as back`)[0]?.back],
  ["db.query", async (db, text) => (await db.query("select $1::text as back", [text])).rows[0]?.back],
  ["an array", async (db, text) => (await db.sql<{ back: string[] }>`select ${[text]}::text[] as back`)[0]?.back[0]],
  [
    "an object",
    async (db, text) => (await db.sql<{ back: Record<string, string> }>`select ${{ [text]: text }}::jsonb as back`)[0]?.back[text],
  ],
  ["sql.json", async (db, text) => (await db.sql`select ${sql.json(text)}::jsonb as back`)[0]?.back],
  ["sql.join", async (db, text) => (await db.sql`select array_to_string(array[${sql.join([text, ""])}]::text[], '') as back`)[0]?.back],
  [
    "sql.values",
    async (db, text) => {
      const kept = sql`${sql.id(schema, "written")} ${sql.values([{ word: text }])}`;
      return (await db.sql`insert into ${kept} returning word as back`)[0]?.back;
    },
  ],
  [
    "sql.set",
    async (db, text) => {
      const set = sql.set({ word: text });
      return (await db.sql`update ${sql.id(schema, "changed")} set ${set} returning word as back`)[0]?.back;
    },
  ],
  [
    "sql.unnest",
    async (db, text) => (await db.sql`select word as back from (${sql.unnest([{ word: text }], { word: "text" })}) given`)[0]?.back,
  ],
  [
    "a list in sql.unnest",
    async (db, text) =>
      (await db.sql`select words[1] as back from (${sql.unnest([{ words: [text] }], { words: "text[]" })}) given`)[0]?.back,
  ],
  ["a composed piece", async (db, text) => (await db.sql`select ${sql`${text}::text`} as back`)[0]?.back],
  ["a batch", async (db, text) => (await db.batch([sql`select 1`, sql<{ back: string }>`select ${text}::text as back`]))[1].rows[0]?.back],
  ["a read-only query", async (db, text) => (await db.query(sql`select ${text}::text as back`, { readOnly: true })).rows[0]?.back],
  ["a transaction", (db, text) => db.transaction(async (tx) => (await tx.sql`select ${text}::text as back`)[0]?.back)],
  [
    "a savepoint",
    (db, text) => db.transaction((tx) => tx.transaction(async (inner) => (await inner.sql`select ${text}::text as back`)[0]?.back)),
  ],
  ["a session", (db, text) => db.session(async (held) => (await held.sql`select ${text}::text as back`)[0]?.back)],
  ["toPostgres", async (db, text) => (await db.sql`select ${{ toPostgres: () => text }}::text as back`)[0]?.back],
  [
    "sql.id of sql.unnest's column",
    async (db, text) => Object.keys((await db.query(sql.unnest([{ [text]: 1 }], { [text]: "int" }))).rows[0] ?? {})[0],
  ],
  ["sql.id as a column's name", async (db, text) => Object.keys((await db.sql`select 1 as ${sql.id(text)}`)[0] ?? {})[0]],
];

/** Places that take a name or a word, and refuse every other. */
const asOption: readonly (readonly [string, (db: Database, text: string) => Promise<unknown>])[] = [
  ["an isolation level", (db, text) => db.transaction(async () => {}, { isolation: text as never })],
  ["a batch's isolation level", (db, text) => db.batch([sql`select 1`], { isolation: text as never })],
  ["a row mode", (db, text) => db.query("select 1", [], { rowMode: text as never })],
  ["an option's name", (db, text) => db.query("select 1", [], { [text]: true } as never)],
];

async function expectKept(): Promise<void> {
  await using direct = await openDirect();
  expect((await direct.query(`select word from ${schema}.kept`)).rows).toEqual([{ word: "kept" }]);
}

const ways: Readonly<Record<string, () => DatabaseOptions>> = {
  pool: () => ({}),
  http: () => ({ transport: "http", endpoint: endpoint.url }),
};

describe.each(Object.entries(ways))("over %s", (_, options) => {
  test.each(asValue)("what is given as %s stays a value", async (way, send) => {
    await using db = openPool(options());
    for (const text of attacks) expect(await send(db, text)).toBe(shortened(way, text));
    await expectKept();
  });

  test.each(asOption)("%s takes its own words alone", async (_way, send) => {
    await using db = openPool(options());
    for (const text of attacks) {
      expect(await failureOf(send(db, text))).toMatchObject({ name: "UsageError", code: "INVALID_OPTION", fate: "not-sent" });
    }
    await expectKept();
  });

  test("sql.id names a table that is not there, and nothing else", async () => {
    await using db = openPool(options());
    for (const text of attacks) expect((await failureOf(db.sql`select * from ${sql.id(schema, text)}`)).code).toBe("42P01");
    await expectKept();
  });

  test("sql.values and sql.set name a column that is not there, and a type of sql.unnest is a type's name alone", async () => {
    await using db = openPool(options());
    for (const text of attacks) {
      const kept = sql.id(schema, "kept");
      expect((await failureOf(db.sql`insert into ${kept} ${sql.values([{ [text]: "a" }])}`)).code).toBe("42703");
      expect((await failureOf(db.sql`update ${kept} set ${sql.set({ [text]: "a" })}`)).code).toBe("42703");
      expect(() => sql.unnest([{ word: "a" }], { word: text })).toThrow("no name of a type");
    }
    await expectKept();
  });

  test("an application's name is a name", async () => {
    for (const text of attacks.filter((attack) => /^[ -~]+$/.test(attack))) {
      await using db = openPool({ ...options(), applicationName: text });
      const [row] = await db.sql`select current_setting('application_name') as back`;
      expect(row?.back).toBe(text.slice(0, 63));
    }
    await expectKept();
  });
});

test("a user's and a database's name are no parameters of the login", async () => {
  const { port, user } = inject("postgres");
  for (const text of [...attacks, "postgres options=-csearch_path=x", "postgres?sslmode=disable", "postgres\u00a0"]) {
    for (const names of [{ database: text }, { user: text }]) {
      await using db = createDatabase({
        host: "127.0.0.1",
        port,
        user,
        database: "postgres",
        password: "x",
        name: text,
        deadlineMs: 5_000,
        ...names,
      });
      expect(["28P01", "3D000"]).toContain((await failureOf(db.query("select 1"))).code);
    }
  }
  await expectKept();
});

/** Postgres cuts identifiers at 63 bytes. Source: PostgreSQL documentation, "Identifiers and Key Words". */
function shortened(way: string, text: string): string {
  return way.startsWith("sql.id") ? text.slice(0, 63) : text;
}
