import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type Database, type DatabaseOptions, isWarmlineError, type Sql, sql } from "../../src/entry/node.ts";
import { openPool, urlAt } from "../core/databases.ts";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
});
afterAll(() => endpoint?.stop());

const ways: Readonly<Record<string, () => DatabaseOptions>> = {
  pool: () => ({}),
  http: () => ({ transport: "http", endpoint: endpoint.url }),
};

const DEPTH = 200_000;

function nested<T>(innermost: T, wrap: (inner: T) => T): T {
  let value = innermost;
  for (let level = 0; level < DEPTH; level++) value = wrap(value);
  return value;
}

/** What is nested deeper than an engine's stack; some engines write JSON without one. */
const deep: readonly (readonly [string, (db: Database) => Promise<unknown>])[] = [
  ["an object", (db) => db.sql`select ${nested<object>({}, (inner) => ({ inner }))}::text`],
  ["sql.json", async (db) => db.sql`select ${sql.json(nested<object>({}, (inner) => ({ inner })))}::text`],
  ["an array", (db) => db.sql`select ${nested<unknown[]>([], (inner) => [inner])}::text`],
  ["a composed statement", (db) => db.query(nested<Sql>(sql`select 1`, (inner) => sql`${inner}`))],
];

describe.each(Object.entries(ways))("over %s", (_, options) => {
  test.each(deep)("%s that is nested too deep is refused before it is sent, or travels whole", async (_what, send) => {
    await using db = openPool(options());
    const failure = await send(db).catch((error: unknown) => error);
    if (isWarmlineError(failure)) expect(failure).toMatchObject({ name: "UsageError", code: "UNSUPPORTED_VALUE", fate: "not-sent" });
    else expect(failure).not.toBeInstanceOf(Error);
    expect((await db.query("select 1 as works")).rows).toEqual([{ works: 1 }]);
  });
});

test("JSON that is nested too deep for the server is the server's to refuse", async () => {
  await using db = openPool();
  const text = "[".repeat(DEPTH) + "]".repeat(DEPTH);
  await expect(db.sql`select ${text}::jsonb`).rejects.toMatchObject({ code: "54001", fate: "refused" });
});
