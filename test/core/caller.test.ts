import { expect, inject, test } from "vitest";
import { createDatabase, type Database, type WarmlineError } from "../../src/entry/node.ts";
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
