import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { startSupavisor } from "../../support/supavisor.ts";
import { openDirect, openPool, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: a pooler nobody told of. Install it with: apt-get install pgbouncer ***");

const look = "select $1::int as n";
/** How many statements the server keeps by a name of ours. */
const kept = "select count(*)::int as n from pg_prepared_statements where name like 'warmline%'";

describe.runIf(!missing)("a PgBouncer that nobody told of", () => {
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer(inject("postgres"), { server_login_retry: "0" });
  });
  afterAll(() => bouncer.stop());

  test("has no calls behind others: it would give the link to the server to another client between them", async () => {
    await using db = openPool({ url: urlAt(bouncer), max: 1 });
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    for (let time = 0; time < 140; time++) await db.query(look, [time]);
    const answers = await Promise.all(numbers.map(async (n) => (await db.query(look, [n])).rows[0]?.n));
    expect(answers).toEqual(numbers);
    expect(db.stats()).toMatchObject({ connects: 1, pipelined: 0 });
  });

  test("has none behind others in a request either, and keeps no names", async () => {
    await using db = openRequest({ url: urlAt(bouncer), max: 1 });
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    for (let request = 0; request < 2; request++) {
      await runRequest(db, async () => {
        for (let time = 0; time < 3; time++) await db.query(look, [time]);
        const answers = await Promise.all(numbers.map(async (n) => (await db.query(look, [n])).rows[0]?.n));
        expect(answers).toEqual(numbers);
        const { rows } = await db.query(kept);
        expect(rows).toEqual([{ n: 0 }]);
      });
    }
    expect(db.stats()).toMatchObject({ pipelined: 0 });
  });

  test("keeps no statement of ours by name", async () => {
    await using db = openPool({ url: urlAt(bouncer), max: 1 });
    for (let time = 0; time < 3; time++) await db.query(look, [time]);
    const { rows } = await db.query(kept);
    expect(rows).toEqual([{ n: 0 }]);
  });
});

test("Postgres is not taken for a pooler, whatever name its role has", async () => {
  await using direct = await openDirect();
  await direct.query("drop role if exists hidden_pooler; create role hidden_pooler login password 'named'");
  await direct.query("alter role hidden_pooler set application_name = 'its own'");
  const user = { user: "hidden_pooler", password: "named" };
  for (const options of [user, { ...user, startupOptions: "-c application_name=another" }, { ...user, applicationName: "x".repeat(63) }]) {
    await using db = openPool({ ...options, max: 1 });
    for (let time = 0; time < 3; time++) await db.query(look, [time]);
    expect((await db.query(kept)).rows).toEqual([{ n: 1 }]);
  }
  await direct.query("drop role hidden_pooler");
});

describe("a Supavisor that nobody told of, whose process ids might be Postgres' own", () => {
  test.each([
    ["a pool", (url: string) => openPool({ url, max: 1 })],
    ["a request", (url: string) => openRequest({ url, max: 1 })],
  ] as const)("is told by the name it gives itself: %s has no calls behind others, and keeps no names", async (_, open) => {
    await using supavisor = await startSupavisor(inject("postgres"));
    await using db = open(urlAt(supavisor));
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await runRequest(db, async () => {
      for (let time = 0; time < 140; time++) await db.query(look, [time]);
      const answers = await Promise.all(numbers.map(async (n) => (await db.query(look, [n])).rows[0]?.n));
      expect(answers).toEqual(numbers);
      expect((await db.query(kept)).rows).toEqual([{ n: 0 }]);
    });
    expect(db.stats()).toMatchObject({ pipelined: 0 });
  });
});
