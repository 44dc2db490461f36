import { expect, inject, test, vi } from "vitest";
import { createDatabase, type Database, sql, type WarmlineError } from "../../src/entry/node.ts";
import { failureOf, openPool } from "./databases.ts";

/** The frames of an error in this file, by the names of their functions. */
function framesHere(error: WarmlineError): readonly string[] {
  const lines = (error.stack ?? "").split("\n").filter((line) => line.includes("caller.test.ts"));
  return lines.map((line) => /at (?:async )?(?:Object\.)?([\w.]+) /.exec(line)?.[1] ?? line);
}

const ways: Readonly<Record<string, () => Database>> = {
  pool: () => openPool(),
  http: () => createDatabase({ url: inject("postgres").url, endpoint: inject("endpoint"), transport: "http" }),
};

/** Calls that fail at the server, each awaited by a function of this name; those that every transport has are cases of the conformance suite. */
const calls: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  async theScript(db) {
    return await db.script("select 1; select 1/0");
  },
  async theCrowd(db) {
    return await Promise.all([db.query("select 1/0"), db.query("select 1")]);
  },
};

for (const [way, open] of Object.entries(ways)) {
  test.each(Object.entries(calls))(`an error over ${way} shows who awaits the call: %s`, async (name, call) => {
    await using db = open();
    await db.query("select 1");
    const frames = framesHere(await failureOf(call(db)));
    expect(frames).toContain(name);
  });
}

test("an error whose fate is told anew for the whole session keeps its cause and its caller", async () => {
  await using db = openPool();
  const error = await failureOf(
    db.session(async function theCallback(session) {
      await session.sql`select 1`;
      await session.sql`select 1/0`;
    }),
  );
  expect(error).toMatchObject({ name: "DatabaseError", code: "22012", sqlState: "22012", fate: "unknown", retryable: false });
  expect(error.cause).toMatchObject({ code: "22012", fate: "refused" });
  expect(framesHere(error)).toContain("theCallback");
  expect(error.stack).toMatch(/^DatabaseError: division by zero\n {4}at /);
});

const nowhere = () => createDatabase({ url: "postgres://u:p@127.0.0.1:9/d" });

/** Calls that are refused before anything is sent, deep in the package. */
const refused: Readonly<Record<string, () => Promise<unknown>>> = {
  async theValue() {
    await nowhere().query("select $1", [{ deep: { in: [new Set()] } }]);
  },
  async theTemplate() {
    await nowhere().sql`select ${{ deep: { in: [new Set()] } }}`;
  },
  async theBatch() {
    await createDatabase({ sslMode: "disable" }).batch([sql`select 1`]);
  },
  async theTransaction() {
    await createDatabase({ sslMode: "disable" }).transaction(async () => {});
  },
  async theSettings() {
    await createDatabase({ sslMode: "disable" }).sql`select 1`;
  },
};

test.each(Object.entries(refused))("an error of what was never sent shows who calls: %s", async (name, call) => {
  vi.stubEnv("DATABASE_URL", "");
  const error = await failureOf(call());
  expect(error).toMatchObject({ fate: "not-sent" });
  expect(framesHere(error)).toContain(name);
  vi.unstubAllEnvs();
});

test.each([
  ["as a name", (db: Database) => db.sql`select * from ${"users"}`, "sql.id"],
  ["in a list without brackets", (db: Database) => db.sql`select 1 where 1 in ${[1, 2]}`, "= any(…)"],
  ["within quotes", (db: Database) => db.sql`select '${1}'`, "placeholders"],
  ["too few", (db: Database) => db.query("select $1::int, $2::int", [1]), "placeholders"],
] as const)("an error of a value that stands where none can says what to write: %s", async (_, call, words) => {
  for (const open of Object.values(ways)) {
    await using db = open();
    expect((await failureOf(call(db))).message).toContain(words);
  }
});
