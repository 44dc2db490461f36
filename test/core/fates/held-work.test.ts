import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, type DatabaseSession, sql } from "../../../src/entry/node.ts";
import { isCommandComplete } from "../../support/postgres-messages.ts";
import { startWire, type Wire } from "../../support/wire.ts";
import { failureOf, openDirect, openPool, urlAt } from "../databases.ts";

let direct: Awaited<ReturnType<typeof openDirect>>;
let wire: Wire;
let db: Database;

beforeAll(async () => {
  direct = await openDirect();
  await direct.query("create table held_work (id int)");
  wire = await startWire(inject("postgres"));
  db = openPool({ url: urlAt(wire), max: 1 });
});
beforeEach(() => direct.query("truncate held_work"));
afterAll(async () => {
  await db.close();
  await wire.close();
  await direct.query("drop table held_work");
  await direct.end();
});

const insert = sql`insert into held_work values (1)`;
const two = [insert, insert];
const count = async () => Number((await direct.query("select count(*) from held_work")).rows[0].count);

/** What is sent on a session, what of it is cut off, and what became of it. */
const rows: readonly (readonly [
  title: string,
  tag: string,
  fate: "refused" | "unknown",
  send: (session: DatabaseSession) => Promise<unknown>,
])[] = [
  ["a batch, at its first answer", "INSERT 0 1", "unknown", (session) => session.batch(two)],
  ["a batch, at its COMMIT", "COMMIT", "unknown", (session) => session.batch(two)],
  [
    "a batch inside the session's own transaction",
    "INSERT 0 1",
    "refused",
    (session) => session.query("begin").then(() => session.batch(two)),
  ],
  ["a batch of a transaction", "INSERT 0 1", "refused", (session) => session.transaction((tx) => tx.batch(two))],
  ["a transaction, at its COMMIT", "COMMIT", "unknown", (session) => session.transaction((tx) => tx.batch(two))],
];

describe.each(rows)("a link that is lost in %s", (_, tag, fate, send) => {
  const cut = () => wire.cutAt(isCommandComplete(tag));

  test(`leaves it ${fate}, and the whole session`, async () => {
    const lost = cut();
    expect(await failureOf(db.session(send))).toMatchObject({ code: "CONNECTION_LOST", fate });
    await lost;
    expect(await count()).toBe(fate === "refused" ? 0 : 2);
    expect((await db.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });

  test(`leaves it ${fate} without a callback, and its release silent`, async () => {
    const session = await db.session();
    const lost = cut();
    expect(await failureOf(send(session))).toMatchObject({ code: "CONNECTION_LOST", fate });
    await lost;
    expect(await failureOf(session.query("select 1"))).toMatchObject({ code: "SESSION_BROKEN", fate: "not-sent" });
    await session.release();
    expect((await db.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
  });
});
