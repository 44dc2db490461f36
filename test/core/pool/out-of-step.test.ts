import type { EventEmitter } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Database, sql } from "../../../src/entry/node.ts";
import { WarmPool } from "../../../src/transports/pool/warm-pool.ts";
import { commandComplete, type Message, message, readyForQuery, rowDescription, wholeAnswer } from "../../fuzz/server/answers.ts";
import { deeds, type Misdeed, misdeeds } from "../../fuzz/server/misdeeds.ts";
import { startWrongServer, type WrongServer } from "../../fuzz/server/wrong-server.ts";
import { createRandom } from "../../support/random.ts";
import { eventsOf, failureOf, openPool } from "../databases.ts";

const outOfStep = { name: "ConnectionError", code: "OUT_OF_STEP", fate: "unknown", retryable: false };

describe("a server that speaks wrongly", () => {
  let server: WrongServer;
  let db: Database;
  beforeEach(async () => {
    server = await startWrongServer("tcp");
    db = openPool({ url: `postgres://a:b@127.0.0.1:${server.port}/c?sslmode=disable`, max: 1, deadlineMs: 2_000 });
    expect(await numberOf(1)).toBe(1);
  });
  afterEach(async () => {
    await db.close();
    await server[Symbol.asyncDispose]();
  });

  const numberOf = async (number: number) => (await db.query<{ n: number }>(sql`select ${number}::int as n`)).rows[0]?.n;
  /** What is said in place of the next answer. */
  const once = (misdeed: Misdeed, after = 0) => server.arm(misdeed, createRandom(1), after);
  const saying = (change: (messages: readonly Message[]) => readonly Message[]) => once(({ messages }) => ({ messages: change(messages) }));
  /** Behind the next answer, once the function it gives was called. */
  const saysReadyTooOften = () => {
    const answered = Promise.withResolvers<void>();
    once(({ messages }) => ({ messages, afterwards: { messages: [readyForQuery("I")], afterMs: answered.promise } }));
    return answered.resolve;
  };

  test.each<[string, (right: readonly Message[]) => readonly Message[]]>([
    ["ReadyForQuery twice", (right) => [...right, readyForQuery("I")]],
    ["no answer but ReadyForQuery", (right) => right.slice(-1)],
    ["no RowDescription", (right) => right.filter(({ type }) => type !== "T")],
    ["RowDescription twice", (right) => right.flatMap((said) => (said.type === "T" ? [said, said] : [said]))],
    ["two columns, and a row of one", (right) => right.map((said) => (said.type === "T" ? rowDescription(["n", "m"]) : said))],
    ["no ParseComplete", (right) => right.filter(({ type }) => type !== "1")],
    ["no CloseComplete before it", (right) => right.filter(({ type }) => type !== "3")],
    ["PortalSuspended of a query that asked for all", (right) => right.map((said) => (said.type === "C" ? message("s") : said))],
    ["an answer of another statement behind it", (right) => [...right, ...wholeAnswer(7), readyForQuery("I")]],
    [
      "a row that ends in the next message",
      (right) => right.map((said) => (said.type === "D" ? message("D", Buffer.of(0, 1, 0, 0, 0, 9)) : said)),
    ],
    ["a row of fewer than no columns", (right) => right.map((said) => (said.type === "D" ? message("D", Buffer.of(255, 255)) : said))],
    ["a status that is none", (right) => [...right.slice(0, -1), readyForQuery("X")]],
    ["a transaction nobody began", (right) => [...right.slice(0, -1), readyForQuery("T")]],
    ["a message of no type", (right) => [message("?"), ...right]],
    ["the login's own key", (right) => [message("K", Buffer.alloc(8)), ...right]],
  ])("%s: the call is unknown, the connection is thrown away, and the next call works", async (_, change) => {
    const discards = eventsOf(db, "discard");
    saying(change);
    expect(await failureOf(numberOf(2))).toMatchObject(outOfStep);
    expect(discards).toMatchObject([{ reason: "out-of-step" }]);
    expect(await numberOf(3)).toBe(3);
    expect(db.stats()).toMatchObject({ connects: 2, discarded: 1 });
  });

  test.each([-1, 2 ** 31 - 1, 2 ** 30, 3, 0])("a message that says it is %d bytes long ends the connection at once", async (length) => {
    once(({ messages: [first, ...rest] }) => {
      const bytes = Buffer.from((first as Message).bytes);
      bytes.writeUInt32BE(length >>> 0, 1);
      return { messages: [{ type: "1", bytes }, ...rest], ends: "silence" };
    });
    expect(await failureOf(numberOf(2))).toMatchObject(outOfStep);
    expect(await numberOf(3)).toBe(3);
  });

  test("an insert that is answered as an empty statement is unknown", async () => {
    saying((right) => right.map((said) => (said.type === "C" ? message("I") : said)));
    expect(await failureOf(db.query(sql`insert into t values (${5})`))).toMatchObject(outOfStep);
    expect((await db.query("-- nothing\n;")).command).toBeNull();
  });

  test("ReadyForQuery too many while nothing is on its way: no call hears of it", async () => {
    const discards = eventsOf(db, "discard");
    const answered = saysReadyTooOften();
    expect(await numberOf(2)).toBe(2);
    answered();
    await expect.poll(() => discards).toMatchObject([{ reason: "out-of-step" }]);
    expect(await numberOf(3)).toBe(3);
  });

  test("what stands behind the login's end is no answer to the first statement", async () => {
    await db.release();
    saying((right) => [...right, ...wholeAnswer(7), readyForQuery("I")]);
    // nothing was sent: it is tried again
    expect(await numberOf(2)).toBe(2);
  });

  test("a transaction that the server ends is unknown, and not committed", async () => {
    const work = db.transaction(async (tx) => {
      once(({ messages }) => ({ messages: [...messages.slice(0, -1), readyForQuery("I")] }));
      await tx.query(sql`insert into t values (${5})`);
    });
    expect(await failureOf(work)).toMatchObject(outOfStep);
    expect(await numberOf(3)).toBe(3);
  });

  test("a COMMIT that is answered by another tag is unknown", async () => {
    const work = db.transaction(async (tx) => {
      await tx.query(sql`insert into t values (${5})`);
      saying((right) => right.map((said) => (said.type === "C" ? commandComplete("SELECT 1") : said)));
    });
    expect(await failureOf(work)).toMatchObject(outOfStep);
    expect(server.books.done.has(5)).toBe(true);
  });

  test("a BEGIN that is refused, and swallowed: nothing of the transaction is done alone", async () => {
    once(misdeeds["begin refused"]);
    const work = db.transaction(async (tx) => {
      for (const number of [5, 6]) await tx.query(sql`insert into t values (${number})`).catch(() => {});
    });
    expect(await failureOf(work)).toMatchObject({ code: "57014", fate: "refused" });
    expect([...server.books.done]).toEqual([]);
    expect(await numberOf(3)).toBe(3);
  });

  test("a BEGIN that is refused while others of its transaction wait behind it: none of them is done alone", async () => {
    once(misdeeds["begin refused"]);
    let ends: PromiseSettledResult<unknown>[] = [];
    const work = db.transaction(async (tx) => {
      const insert = (number: number) => sql`insert into t values (${number})`;
      const read = async () => {
        for await (const _ of tx.stream(insert(8)));
      };
      ends = await Promise.allSettled([tx.query(insert(5)), tx.query(insert(6)), tx.batch([insert(7)]), read()]);
    });
    expect(await failureOf(work)).toMatchObject({ code: "57014", fate: "refused" });
    expect([...server.books.done]).toEqual([]);
    const notBegun = { reason: { code: "TRANSACTION_OVER", fate: "not-sent" } };
    expect(ends).toMatchObject([{ reason: { code: "57014" } }, notBegun, notBegun, notBegun]);
    expect(await numberOf(3)).toBe(3);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("what a session is answered between its statements ends it: the next one is not sent", async () => {
    const work = db.session(async (session) => {
      const answered = saysReadyTooOften();
      await session.query("select 1");
      answered();
      await expect.poll(() => server.connections).toBe(0);
      await session.query("insert into t values (5)");
    });
    expect(await failureOf(work)).toMatchObject({ code: "OUT_OF_STEP" });
    expect(server.books.done.has(5)).toBe(false);
    expect(await numberOf(3)).toBe(3);
  });

  test("notices and settings may come between any two messages, and all of it a byte at a time", async () => {
    const odd: Misdeed = (reply, random) => ({
      ...(deeds["asides between"]?.(reply, random) ?? { messages: reply.messages }),
      bytewise: true,
    });
    once(odd);
    expect(await numberOf(2)).toBe(2);
    expect(db.stats()).toMatchObject({ connects: 1, discarded: 0 });
  });

  test("what a listener throws is thrown on, and the connection goes on", async () => {
    const thrown: unknown[] = [];
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException").on("uncaughtException", (error) => thrown.push(error));
    try {
      await using pool = Object.assign(new WarmPool({ host: "127.0.0.1", port: server.port, user: "a", database: "c", max: 1 }), {
        [Symbol.asyncDispose]: () => pool.end(),
      });
      pool.once("connect", (client) => {
        (client as unknown as { connection: EventEmitter }).connection.once("commandComplete", () => {
          throw new Error("a listener's own");
        });
      });
      const client = await pool.connect();
      expect((await client.query("select 2")).rows).toEqual([{ n: 2 }]);
      client.release();
      await pause(10);
      expect(thrown).toMatchObject([{ message: "a listener's own" }]);
      expect((await pool.query("select 3")).rows).toEqual([{ n: 3 }]);
      expect(pool.state).toMatchObject({ connects: 1, discarded: 0 });
    } finally {
      process.removeAllListeners("uncaughtException");
      for (const other of others) process.on("uncaughtException", other);
    }
  });
});
