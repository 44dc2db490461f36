import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Database, sql, type Transaction } from "../../../src/entry/node.ts";
import { failureOf, openPool } from "../databases.ts";
import { type ScriptedServer, startScriptedServer } from "../pool/scripted-server.ts";

let server: ScriptedServer;
let db: Database;

beforeAll(async () => {
  server = await startScriptedServer();
  db = openPool({ url: `postgres://a:b@127.0.0.1:${server.port}/c?sslmode=disable`, max: 1 });
});
afterAll(async () => {
  await db.close();
  await server[Symbol.asyncDispose]();
});

const insert = (number: number) => sql`insert into t values (${number})`;
/** What was committed, and what of it outside of a transaction. */
const written = () => server.books.flatMap(({ done, alone }) => [...done, ...alone]);

/** What is sent at once, in a transaction whose BEGIN is refused. */
const sendings: readonly (readonly [string, (tx: Transaction) => readonly Promise<unknown>[]])[] = [
  ["queries", (tx) => [tx.query(insert(1)), tx.query(insert(2)), tx.query(insert(3))]],
  ["a query and a batch", (tx) => [tx.query(insert(1)), tx.batch([insert(2), insert(3)])]],
  ["a batch and a savepoint", (tx) => [tx.batch([insert(1), insert(2)]), tx.transaction((inner) => inner.query(insert(3)))]],
  ["a query and a stream", (tx) => [tx.query(insert(1)), tx.stream(insert(2)).batches().next()]],
];

describe.each(sendings)("a transaction whose BEGIN is refused, with %s sent at once", (_, send) => {
  test.each<[string, <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>]>([
    ["the database", (work) => db.transaction(work)],
    ["a session", (work) => db.session((session) => session.transaction(work))],
  ])("sends none of them by itself, on %s", async (_on, begin) => {
    server.refuseNextBegin();
    let ends: PromiseSettledResult<unknown>[] = [];
    const work = async (tx: Transaction) => {
      ends = await Promise.allSettled(send(tx));
      throw (ends[0] as PromiseRejectedResult).reason;
    };
    expect(await failureOf(begin(work))).toMatchObject({ code: "57014", fate: "refused" });
    expect(ends.map((end) => end.status === "rejected" && end.reason)).toMatchObject([
      { code: "57014", fate: "refused" },
      ...ends.slice(1).map(() => ({ code: "TRANSACTION_OVER", fate: "not-sent" })),
    ]);
    expect(written()).toEqual([]);
    expect((await db.sql`select ${5} as n`)[0]).toEqual({ n: 5 });
    expect(db.stats()).toMatchObject({ discarded: 0 });
  });
});

test("a transaction that awaits nothing is refused with its BEGIN", async () => {
  server.refuseNextBegin();
  const work = async (tx: Transaction) => void tx.query(insert(1)).catch(() => {});
  expect(await failureOf(db.transaction(work))).toMatchObject({ code: "57014", fate: "refused" });
  expect(written()).toEqual([]);
});

test("a transaction that throws while BEGIN is on its way keeps its connection", async () => {
  server.refuseNextBegin();
  const thrown = new Error("thrown at once");
  const work = (tx: Transaction) => {
    for (const number of [1, 2]) tx.query(insert(number)).catch(() => {});
    return Promise.reject(thrown);
  };
  await expect(db.transaction(work)).rejects.toBe(thrown);
  expect((await db.sql`select ${5} as n`)[0]).toEqual({ n: 5 });
  expect([written(), db.stats().discarded]).toEqual([[], 0]);
});
