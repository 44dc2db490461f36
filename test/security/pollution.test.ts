import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { createDatabase, type DatabaseOptions, sql } from "../../src/entry/node.ts";
import { failureOf, openPool, urlAt } from "../core/databases.ts";
import { createDemoDatabase, createTestApp } from "../functions/demo-app.ts";

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
});
afterAll(() => endpoint?.stop());
afterEach(() => {
  for (const shared of [Object.prototype, Array.prototype, Function.prototype]) expect(shared).not.toHaveProperty("polluted");
});

const keys = ["__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "then", "toJSON", "toPostgres", "__defineGetter__"];
const hostile = JSON.stringify({ polluted: true });

const ways: Readonly<Record<string, () => DatabaseOptions>> = {
  pool: () => ({}),
  http: () => ({ transport: "http", endpoint: endpoint.url }),
};

describe.each(Object.entries(ways))("over %s", (_, options) => {
  test.each(keys)("a column and a JSON key named %s are data", async (key) => {
    await using db = openPool(options());
    const document = `{${JSON.stringify(key)}: ${hostile}}`;
    const { rows } = await db.query(sql`select ${hostile}::jsonb as ${sql.id(key)}, ${document}::jsonb as document`);
    const [row] = rows;
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(Object.entries(row ?? {}).find(([name]) => name === key)?.[1]).toEqual({ polluted: true });
    expect(JSON.stringify(row?.document)).toBe(`{${JSON.stringify(key)}:${hostile}}`);
    const sent = JSON.parse(document);
    expect(JSON.stringify((await db.sql`select ${sent}::jsonb as back`)[0]?.back)).toBe(JSON.stringify(sent));
  });

  test.each(keys)("a constraint, a table and a column named %s make an ordinary error", async (key) => {
    await using db = openPool(options());
    const name = sql.id(key);
    const failed = db.batch([
      sql`create temp table ${name} (${name} int constraint ${name} check (${name} > 0))`,
      sql`insert into ${name} values (0)`,
    ]);
    expect(await failureOf(failed)).toMatchObject({ name: "DatabaseError", code: "23514", constraint: key, table: key });
  });
});

test("options that came out of JSON are read by their own names alone", async () => {
  const given = JSON.parse(`{"url": ${JSON.stringify(urlAt())}, "__proto__": ${hostile}}`);
  expect(() => createDatabase(given)).toThrow(expect.objectContaining({ name: "ConfigError" }));
  await using db = openPool();
  const call = JSON.parse(`{"__proto__": {"readOnly": true}}`);
  expect(await failureOf(db.query("select 1", [], call))).toMatchObject({ code: "INVALID_OPTION" });
});

test("the demo takes no field it does not know, whatever its name", async () => {
  const demo = await createDemoDatabase();
  try {
    const app = createTestApp(demo.db);
    for (const key of keys) {
      const body = `{"lines": [{"productId": 1, "quantity": 1, ${JSON.stringify(key)}: ${hostile}}], ${JSON.stringify(key)}: ${hostile}}`;
      const answer = await app.order(`pollution-${key}`, body);
      expect([201, 400]).toContain(answer.status);
      expect(await answer.text()).not.toContain("polluted");
    }
    expect(app.faults).toEqual([]);
  } finally {
    await demo.stop();
  }
});
