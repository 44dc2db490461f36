import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { openPool, urlAt } from "../databases.ts";

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: streams behind PgBouncer. Install it with: apt-get install pgbouncer ***");

describe.runIf(!missing)("behind PgBouncer with one link for its transactions", () => {
  let bouncer: PgBouncer;
  let db: Database;

  beforeAll(async () => {
    bouncer = await startPgBouncer(inject("postgres"), { pool_mode: "transaction", default_pool_size: "1" });
    db = openPool({ url: urlAt(bouncer), target: "pgbouncer", max: 2 });
  });
  afterAll(async () => {
    await db.close();
    await bouncer.stop();
  });

  test("two streams are read to their ends one after the other, for each has the link while it is read", async () => {
    const read = async () => {
      const pids = new Set<number>();
      let count = 0;
      for await (const { pid } of db.stream(sql<{ pid: number }>`select pg_backend_pid() as pid from generate_series(1, 9)`, {
        batchSize: 2,
      })) {
        pids.add(pid);
        count++;
      }
      return [pids.size, count];
    };
    expect(await Promise.all([read(), read()])).toEqual([
      [1, 9],
      [1, 9],
    ]);
  });

  test("one that is left gives the link to the next, with nothing of it left there", async () => {
    for await (const _ of db.stream(sql`select 1 from generate_series(1, 9)`, { batchSize: 2 })) break;
    expect(await db.sql`select count(*)::int as open from pg_cursors where name <> ''`).toEqual([{ open: 0 }]);
  });
});
