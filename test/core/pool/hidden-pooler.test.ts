import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { runRequest } from "../../faults/subjects/request-database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { openPool, urlAt } from "../databases.ts";
import { openRequest } from "../request/open-request.ts";

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: a pooler nobody told of. Install it with: apt-get install pgbouncer ***");

const look = "select $1::int as n";

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
        const { rows } = await db.query("select count(*)::int as n from pg_prepared_statements where name like 'warmline%'");
        expect(rows).toEqual([{ n: 0 }]);
      });
    }
    expect(db.stats()).toMatchObject({ pipelined: 0 });
  });

  test("keeps no statement of ours by name", async () => {
    await using db = openPool({ url: urlAt(bouncer), max: 1 });
    for (let time = 0; time < 3; time++) await db.query(look, [time]);
    const { rows } = await db.query("select count(*)::int as n from pg_prepared_statements where name like 'warmline%'");
    expect(rows).toEqual([{ n: 0 }]);
  });
});
