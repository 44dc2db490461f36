import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { isCommandComplete, isStatement } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, until, urlAt } from "../databases.ts";
import { failureAfter } from "../passing-deadline.ts";

const missing = findPgBouncer() === undefined;
if (missing) console.warn("*** SKIPPED: the fate of statements behind PgBouncer. Install it with: apt-get install pgbouncer ***");

describe.runIf(!missing)("behind PgBouncer whose link to the server breaks", () => {
  let direct: Awaited<ReturnType<typeof openDirect>>;
  let wire: Wire;
  let bouncer: PgBouncer;
  let db: Database;

  beforeAll(async () => {
    direct = await openDirect();
    await direct.query("create table behind (id int)");
    wire = await startWire(inject("postgres"));
    bouncer = await startPgBouncer({ ...inject("postgres"), port: wire.port }, { server_login_retry: "0" });
    db = openPool({ url: urlAt(bouncer), target: "pgbouncer", max: 1 });
  });
  beforeEach(async () => {
    await direct.query("truncate behind");
    await until(() =>
      db.query("select 1").then(
        () => true,
        () => false,
      ),
    );
  });
  afterAll(async () => {
    await db.close();
    await bouncer.stop();
    await wire.close();
    await direct.query("drop table behind");
    await direct.end();
  });

  const countRows = async () => Number((await direct.query("select count(*) from behind")).rows[0].count);
  const insert = sql`insert into behind values (1)`;
  /** A pooler has ended what it began when the server shows no transaction on the table. */
  const settled = () =>
    until(
      async () =>
        (
          await direct.query(
            "select 1 from pg_stat_activity where query like '%into behind%' and state <> 'idle' and pid <> pg_backend_pid()",
          )
        ).rowCount === 0,
    );

  test.each(["C", "Z"])(
    "an insert that was committed comes out unknown when %s is the first message lost, and the row is there",
    async (lost) => {
      // the server sends both only after the commit, which an autocommit statement's Sync brings about
      let inserted = false;
      const cut = wire.cutAt((message) => {
        inserted ||= isCommandComplete("INSERT 0 1")(message);
        return inserted && message.from === "server" && message.type === lost;
      });
      const error = await failureOf(db.query(insert));
      await cut;
      expect(error).toMatchObject({ fate: "unknown", retryable: false });
      expect(await countRows()).toBe(1);
      expect(db.stats().retries).toBe(0);
    },
  );

  test("a batch that was committed comes out unknown, and its rows are there", async () => {
    const cut = wire.cutAt(isCommandComplete("COMMIT"));
    expect((await failureOf(db.batch([insert, insert]))).fate).toBe("unknown");
    await cut;
    expect(await countRows()).toBe(2);
  });

  test("a transaction that was committed comes out unknown, and its row is there", async () => {
    const cut = wire.cutAt(isCommandComplete("COMMIT"));
    const error = await failureOf(db.transaction((tx) => tx.query(insert), { retries: 3 }));
    await cut;
    expect(error.fate).toBe("unknown");
    expect(await countRows()).toBe(1);
  });

  test.each([
    ["an insert", () => db.query(insert), "insert"],
    ["a batch", () => db.batch([insert, insert]), "insert"],
    ["a COMMIT", () => db.transaction((tx) => tx.query(insert)), "COMMIT"],
  ] as const)("%s that the server never got is never refused with a row present", async (_, send, text) => {
    const cut = wire.cutAt(isStatement(text));
    const error = await failureOf(send());
    await cut;
    await settled();
    expect(error.fate === "refused" && (await countRows()) > 0).toBe(false);
    expect(await countRows()).toBe(0);
    expect(["refused", "unknown"]).toContain(error.fate);
  });

  test("the first statement of a transaction that the server never got is sent again, for nothing of it stays", async () => {
    const cut = wire.cutAt(isStatement("insert"));
    expect(await db.transaction(async (tx) => (await tx.query(insert)).rowCount)).toBe(1);
    await cut;
    await settled();
    expect(await countRows()).toBe(1);
  });

  test("a later one is refused with its transaction", async () => {
    const cut = wire.cutAt(isStatement("insert"));
    const work = db.transaction(async (tx) => {
      await tx.sql`select 1`;
      await tx.query(insert);
    });
    expect(await failureOf(work)).toMatchObject({ fate: "refused", retryable: true });
    await cut;
    await settled();
    expect(await countRows()).toBe(0);
  });

  test("an idempotent statement is done again", async () => {
    const cut = wire.cutAt(isStatement("select 'again'"));
    const { via, rows } = await db.query("select 'again' as word", [], { idempotent: true });
    await cut;
    expect(rows).toEqual([{ word: "again" }]);
    expect(via.attempts).toBeGreaterThan(1);
  });
});

describe.runIf(!missing)("behind PgBouncer", () => {
  const sleeping = "select 1 from pg_stat_activity where query like $1 and wait_event = 'PgSleep'";
  let bouncer: PgBouncer;
  beforeAll(async () => {
    bouncer = await startPgBouncer(inject("postgres"));
  });
  afterAll(() => bouncer.stop());

  test("statementTimeoutMs is kept on this side, for the pooler would refuse it at login", async () => {
    await using direct = await openDirect();
    await using wire = await startWire(bouncer);
    const startups: string[][] = [];
    wire.onMessage(({ type, body }) => {
      if (type === "startup") startups.push(body.toString("latin1", 4).split("\0"));
    });
    await using db = openPool({ url: urlAt(wire), target: "pgbouncer", max: 1, statementTimeoutMs: 100 });
    const running = async () => (await direct.query(sleeping, ["%pg_sleep(27)%"])).rowCount === 1;
    const error = await failureAfter(() => db.query("select pg_sleep(27)"), { ms: 100, once: running });
    expect(error).toMatchObject({ name: "DatabaseError", code: "57014", fate: "refused" });
    expect(await running()).toBe(false);
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
    const names = startups.map((pairs) => pairs.filter((text, index) => index % 2 === 0 && text !== "").sort());
    expect(names).toEqual([
      ["application_name", "client_encoding", "database", "user"],
      ["application_name", "client_encoding", "database", "user"],
    ]);
  });

  test("a transaction is cancelled at the server when its deadline passes", async () => {
    await using direct = await openDirect();
    await using db = openPool({ url: urlAt(bouncer), target: "pgbouncer", max: 1 });
    const running = async () => (await direct.query(sleeping, ["%pg_sleep(26)%"])).rowCount === 1;
    const late = () => db.transaction((tx) => tx.sql`select pg_sleep(26)`, { deadlineMs: 300 });
    const error = await failureAfter(late, { ms: 300, once: running });
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", fate: "refused" });
    expect((await db.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  });
});
