import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq, sql } from "drizzle-orm";
import { drizzle as overNodePostgres } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { migrate } from "drizzle-orm/pg-proxy/migrator";
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { drizzle } from "../../src/adapters/drizzle.ts";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { createDatabase, type Database, fateOf, isWarmlineError, type WarmlineError } from "../../src/entry/node.ts";
import { startWire } from "../support/wire.ts";
import { openDirect, openPool, urlAt } from "./databases.ts";

const version = vi.hoisted(() => ({ npmVersion: "" }));
vi.mock("drizzle-orm/version", async (original) => {
  const actual = await original<{ readonly npmVersion: string }>();
  version.npmVersion = actual.npmVersion;
  return {
    ...actual,
    get npmVersion() {
      return version.npmVersion;
    },
  };
});

const things = pgTable("drizzle_thing", { id: integer("id").primaryKey(), word: text("word").unique() });

let db: Database;
beforeAll(async () => {
  db = openPool();
  await db.script("drop table if exists drizzle_thing; create table drizzle_thing (id int primary key, word text unique)");
});
afterAll(() => db.close());

async function failureOf(work: () => Promise<unknown>): Promise<Error> {
  try {
    await work();
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail.");
}

const codeOf = (error: Error) => (isWarmlineError(error) ? error : (error.cause as WarmlineError)).code;

describe("which drizzle-orm", () => {
  const installed = version.npmVersion;
  const tell = (npmVersion: string) => {
    version.npmVersion = npmVersion;
    try {
      drizzle(db);
    } catch (error) {
      return (error as WarmlineError).code;
    } finally {
      version.npmVersion = installed;
    }
    return undefined;
  };

  test.each(["0.45.0", "0.45.4", "1.0.0-rc.5", "1.0.0-rc.5-ab785fc", "1.0.0-rc.12", "1.0.0", "1.3.7", "1.1.0-beta.1"])(
    "takes %s",
    (name) => {
      expect(tell(name)).toBeUndefined();
    },
  );

  test.each(["0.44.7", "0.46.0", "0.4.5", "1.0.0-beta.9", "1.0.0-rc.1", "1.0.0-rc.4", "2.0.0", "10.0.0", ""])(
    "refuses %s, and says which to install",
    (name) => {
      expect(tell(name)).toBe("ORM_VERSION");
    },
  );

  test("names both versions in its error", () => {
    version.npmVersion = "0.30.1";
    expect(() => drizzle(db)).toThrow(/0\.45, or 1\.0 from rc\.5 on, and not on 0\.30\.1\. Install/);
    version.npmVersion = installed;
  });

  test("refuses the options of the other major, and those nobody knows", () => {
    expect(() => drizzle(db, { relations: {} as never })).toThrow(/takes no "relations" here\. It takes schema, casing, logger\./);
    expect(() => drizzle(db, { cache: {} } as never)).toThrow(/takes no "cache"/);
    expect(() => drizzle(db, { relations: undefined, logger: undefined } as never)).not.toThrow();
  });
});

describe("statements", () => {
  test("are the same as its node-postgres driver sends, and give the same", async () => {
    await using client = await openDirect();
    const [ours, theirs] = [drizzle(db), overNodePostgres(client)];
    for (const orm of [ours, theirs]) {
      await orm.delete(things);
      const seen = [
        (await orm.insert(things).values([{ id: 1, word: "a" }, { id: 2 }])).rowCount,
        await orm.update(things).set({ word: "b" }).where(eq(things.id, 2)).returning(),
        await orm.select().from(things).orderBy(things.id),
        await orm.$count(things),
        (await orm.execute(sql`select now() - now() as none, array[1.50, 2]::numeric[] as exact, null as nothing`)).rows,
        orm.select().from(things).where(eq(things.word, "x")).toSQL(),
      ];
      expect(seen).toEqual([
        2,
        [{ id: 2, word: "b" }],
        [
          { id: 1, word: "a" },
          { id: 2, word: "b" },
        ],
        2,
        [{ none: "00:00:00", exact: "{1.50,2}", nothing: null }],
        { sql: 'select "id", "word" from "drizzle_thing" where "drizzle_thing"."word" = $1', params: ["x"] },
      ]);
    }
  });

  test("are told to the logger that was given, in transactions and batches too", async () => {
    const told: string[] = [];
    const orm = drizzle(db, { logger: { logQuery: (text) => told.push(text) } });
    await orm.execute(sql`select 1`);
    await orm.transaction((tx) => tx.execute(sql`select 2`));
    await orm.batch([orm.execute(sql`select 3`)]);
    expect(told).toEqual(["select 1", "select 2", "select 3"]);
  });

  test("name columns as casing says, in transactions too", async () => {
    const words = pgTable("drizzle_thing", { theWord: text() });
    const orm = drizzle(db, { casing: "snake_case", schema: { words } });
    const toSql = (from: Pick<typeof orm, "select">) => from.select().from(words).toSQL().sql;
    expect(toSql(orm)).toBe('select "the_word" from "drizzle_thing"');
    expect(await orm.transaction(async (tx) => toSql(tx))).toBe('select "the_word" from "drizzle_thing"');
  });

  test("show their rows alone when they are printed", async () => {
    const result = await drizzle(db).execute<{ n: number }>(sql`select 1 as n`);
    expect(JSON.stringify(result)).toBe('[{"n":1}]');
    expect(Object.keys(result)).toEqual(["0"]);
    expect(result.rows).toBe(result);
    expect(result.via.transport).toBe("pool");
  });
});

describe("batches", () => {
  test("leave a query beside them alone", async () => {
    const orm = drizzle(db);
    const beside = orm.execute<{ n: number }>(sql`select 1 as n`).execute();
    const batch = orm.batch([orm.execute<{ n: number }>(sql`select 2 as n`), orm.execute<{ n: number }>(sql`select 3 as n`)]);
    const behind = orm.execute<{ n: number }>(sql`select 4 as n`).execute();
    const results = [await beside, ...(await batch), await behind];
    expect(results.map(({ rows }) => rows[0]?.n)).toEqual([1, 2, 3, 4]);
  });

  test("give what a column is called like a property of every object, as a column", async () => {
    const orm = drizzle(db);
    const [result] = await orm.batch([orm.execute(sql`select 7 as "__proto__", 8 as "constructor"`)]);
    expect(Object.entries(result[0] ?? {})).toEqual([
      ["__proto__", 7],
      ["constructor", 8],
    ]);
  });

  test("refuse a query of another database or transaction, and send nothing", async () => {
    await using wire = await startWire(inject("postgres"));
    await using other = openPool({ url: urlAt(wire) });
    const [orm, elsewhere] = [drizzle(db), drizzle(other)];
    await db.query("delete from drizzle_thing");
    const insert = (into: typeof orm) => into.insert(things).values({ id: 9 });
    for (const items of [
      [insert(orm), insert(elsewhere)],
      [insert(elsewhere), insert(orm)],
    ] as const) {
      expect(codeOf(await failureOf(() => orm.batch(items)))).toBe("INVALID_STATEMENT");
    }
    const inTransaction = await failureOf(() => orm.transaction((tx) => orm.batch([insert(tx as never)])));
    expect(codeOf(inTransaction)).toBe("INVALID_STATEMENT");
    expect([wire.connections(), await orm.$count(things)]).toEqual([0, 0]);
  });

  test("refuse what is no query, and what was sent already", async () => {
    const orm = drizzle(db);
    for (const item of [null, 1, "select 1", {}, orm.execute(sql`select 1`).execute()] as never[]) {
      const error = await failureOf(() => orm.batch([orm.execute(sql`select 1`), item]));
      expect([codeOf(error), fateOf(error)]).toEqual(["INVALID_STATEMENT", "not-sent"]);
    }
    expect((await orm.execute(sql`select 1 as n`)).rows).toEqual([{ n: 1 }]);
  });

  test("reject with the database's own error, which names the statement, and no value", async () => {
    const orm = drizzle(db);
    await orm.insert(things).values({ id: 20, word: "secret" });
    const error = await failureOf(() =>
      orm.batch([
        orm.delete(things),
        orm.insert(things).values([
          { id: 21, word: "s" },
          { id: 22, word: "s" },
        ]),
      ]),
    );
    expect(error).toMatchObject({ name: "DatabaseError", code: "23505", fate: "refused", statementIndex: 1 });
    expect(await orm.$count(things, eq(things.id, 20))).toBe(1);
  });

  test("are run as their options say", async () => {
    const orm = drizzle(db);
    const isolation = orm.execute<{ level: string }>(sql`select current_setting('transaction_isolation') as level`);
    expect((await orm.batch([isolation], { isolation: "serializable" }))[0].rows).toEqual([{ level: "serializable" }]);
    expect(codeOf(await failureOf(() => orm.batch([orm.delete(things)], { readOnly: true })))).toBe("25006");
  });
});

describe.each(["pool", "http"] as const)("several statements in one text without values, over %s", (way) => {
  test("run as one transaction, by themselves and within one, and give no rows", async () => {
    const endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
    onTestFinished(() => endpoint.stop());
    await using own = way === "pool" ? openPool() : createDatabase({ url: urlAt(), endpoint: endpoint.url, transport: "http" });
    const orm = drizzle(own);
    const both = sql.raw("insert into drizzle_thing values (70, 'a;b');\n insert into drizzle_thing values (71, 'c'); -- ;");
    const count = () => db.sql`select count(*)::int as n from drizzle_thing where id >= 70`;
    const given = await orm.execute(both);
    expect([given, given.rows, given.rowCount]).toEqual([[], [], null]);
    expect(await count()).toEqual([{ n: 2 }]);
    const refused = await failureOf(() => orm.execute(sql.raw("delete from drizzle_thing where id >= 70; select 1 / 0")));
    expect([codeOf(refused), fateOf(refused)]).toEqual(["22012", "refused"]);
    expect(await count()).toEqual([{ n: 2 }]);
    await orm.transaction(async (tx) => {
      await tx.execute(sql.raw("delete from drizzle_thing where id = 70; delete from drizzle_thing where id = 71"));
    });
    expect(await count()).toEqual([{ n: 0 }]);
    expect(await failureOf(() => orm.batch([orm.execute(both)]))).toMatchObject({ code: "42601" });
  });
});

test("migrations run by Drizzle's own migrator, over db.script, and once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "warmline-drizzle-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "meta"));
  const entries = ["one", "two"].map((tag, idx) => ({ idx, version: "7", when: idx + 1, tag, breakpoints: true }));
  writeFileSync(join(folder, "meta/_journal.json"), JSON.stringify({ version: "7", dialect: "postgresql", entries }));
  writeFileSync(
    join(folder, "one.sql"),
    "create table drizzle_migrated (n int);\n--> statement-breakpoint\ninsert into drizzle_migrated values (1);",
  );
  writeFileSync(join(folder, "two.sql"), "insert into drizzle_migrated values (2)");
  await db.script("drop table if exists drizzle_migrated; drop schema if exists drizzle cascade");
  const orm = drizzle(db);
  for (let times = 0; times < 2; times++) {
    await migrate(orm, (statements) => db.script(statements.join(";\n")), { migrationsFolder: folder });
  }
  expect(await db.sql`select n from drizzle_migrated order by n`).toEqual([{ n: 1 }, { n: 2 }]);
  await db.script("drop table drizzle_migrated; drop schema drizzle cascade");
});

describe("what a transaction rejects with", () => {
  const conflict = sql`do $$ begin raise exception 'conflict' using errcode = '40001'; end $$`;

  test("is Drizzle's error, whose cause speaks for all of the transaction", async () => {
    const error = await failureOf(() => drizzle(db).transaction((tx) => tx.execute(conflict)));
    expect(error.message).toContain("Failed query");
    expect(error.cause).toMatchObject({ code: "40001", fate: "refused", retryable: true });
  });

  test("tells of a lost connection that nothing stays done", async () => {
    await using wire = await startWire(inject("postgres"));
    await using through = openPool({ url: urlAt(wire) });
    const error = await failureOf(() =>
      drizzle(through).transaction(async (tx) => {
        await tx.delete(things);
        const cut = wire.cutAt(({ type }) => type === "P");
        const sent = tx.execute(sql`select 1`);
        await Promise.all([cut, sent]);
      }),
    );
    expect([codeOf(error), fateOf(error)]).toEqual(["CONNECTION_LOST", "refused"]);
  });

  test("tells of what could not be read that it is undone", async () => {
    await using unreadable = openPool({ types: { 23: () => JSON.parse("{") } });
    const orm = drizzle(unreadable);
    expect(fateOf(await failureOf(() => orm.execute(sql`select 1`)))).toBe("applied");
    const ways = [
      () => orm.transaction((tx) => tx.execute(sql`select 1`)),
      () => orm.transaction((tx) => tx.transaction((inner) => inner.execute(sql`select 1`))),
    ];
    for (const way of ways) {
      const error = await failureOf(way);
      expect([error.message, codeOf(error), fateOf(error)]).toEqual([expect.stringContaining("Failed query"), "DECODE_FAILED", "refused"]);
    }
  });

  test("is what the callback threw, where that is its own", async () => {
    const orm = drizzle(db);
    const own = new Error("own", { cause: new Error("other") });
    expect(await failureOf(() => orm.transaction(() => Promise.reject(own)))).toBe(own);
    const before = await failureOf(() => orm.execute(sql`select 1/0`));
    const again = await failureOf(() =>
      orm.transaction(async (tx) => {
        await tx.execute(sql`select 1`);
        throw before;
      }),
    );
    expect(again).toBe(before);
  });

  test("is the last attempt's, and no wrapper of one before", async () => {
    let attempts = 0;
    const error = await failureOf(() =>
      drizzle(db).transaction(
        async (tx) => {
          attempts++;
          if (attempts === 1) await tx.execute(conflict);
          throw new Error("second");
        },
        { retries: 1 },
      ),
    );
    expect([attempts, error.message]).toEqual([2, "second"]);
  });

  test("is refused inside, where the outer database is asked", async () => {
    const orm = drizzle(db);
    const error = await failureOf(() => orm.transaction(() => orm.select().from(things)));
    expect(codeOf(error)).toBe("NESTED_QUERY");
  });

  test("refuses a mode that nobody knows", async () => {
    const error = await failureOf(() => drizzle(db).transaction(async () => 1, { snapshot: "1" } as never));
    expect([codeOf(error), error.message]).toEqual(["INVALID_OPTION", expect.stringContaining('"snapshot"')]);
  });
});

describe("over what is no open database", () => {
  test.each([
    ["an address", "postgres://u:p@h/d"],
    ["nothing", undefined],
    ["options", {}],
    ["a pool", { query() {}, connect() {} }],
  ])("%s is refused when it is handed over", (_, given) => {
    const refused = { code: "INVALID_OPTION", fate: "not-sent", message: expect.stringContaining("createDatabase(") };
    expect(() => drizzle(given as never)).toThrowError(expect.objectContaining(refused));
  });

  test("a database that was closed says so, whatever it is asked", async () => {
    const closed = openPool();
    const orm = drizzle(closed);
    await closed.close();
    expect(codeOf(await failureOf(() => orm.select().from(things)))).toBe("CLOSED");
    expect(codeOf(await failureOf(() => orm.transaction(async () => {})))).toBe("CLOSED");
    expect(codeOf(await failureOf(() => orm.batch([orm.select().from(things)])))).toBe("CLOSED");
  });

  test("a transaction that was kept says that it is over", async () => {
    const kept = await drizzle(db).transaction(async (tx) => tx);
    expect(codeOf(await failureOf(() => kept.select().from(things)))).toBe("TRANSACTION_OVER");
  });
});

test("a transaction without a function is refused as the database refuses it, a savepoint too", async () => {
  const orm = drizzle(db);
  const refused = { code: "INVALID_OPTION", fate: "not-sent" };
  expect(await failureOf(() => orm.transaction(undefined as never))).toMatchObject(refused);
  expect(await failureOf(() => orm.transaction((tx) => tx.transaction({} as never)))).toMatchObject({ code: "INVALID_OPTION" });
});

test("over a view each query, batch and transaction runs under its settings", async () => {
  const view = db.with({ settings: { "app.tenant": "t1" } });
  const orm = drizzle(view);
  const tenant = sql<string>`current_setting('app.tenant', true)`;
  const asked = () => orm.select({ tenant }).from(sql`(values (1)) as one`);
  expect(await asked()).toEqual([{ tenant: "t1" }]);
  expect(await orm.batch([asked(), asked()])).toEqual([[{ tenant: "t1" }], [{ tenant: "t1" }]]);
  expect(await orm.transaction((tx) => tx.select({ tenant }).from(sql`(values (1)) as one`))).toEqual([{ tenant: "t1" }]);
  expect(orm.$client).toBe(view);
});
