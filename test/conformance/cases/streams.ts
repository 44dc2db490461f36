import { expect } from "vitest";
import { sql } from "../../../src/database/sql.ts";
import type { Transaction } from "../../../src/database/transaction.ts";
import { type Case, eventually, failureOf, onlyValue, type Subject } from "../case.ts";

/** So many rows, one number each. */
const numbers = (count: number) => sql<{ n: number }>`select n from generate_series(1, ${count}::int) n`;

/** Numbers up to a division by zero at `at`. */
const failingAt = (at: number) => sql<{ n: number }>`select n, 1 / (n - ${at}::int) as x from generate_series(1, ${at}::int + 9) n`;

async function read<R>(rows: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

async function leaveAtFirst(rows: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of rows) break;
}

const cases: readonly Case[] = [
  {
    title: "gives the rows that a query gives, one by one and in batches, for a text and values too",
    async run({ db }) {
      const text =
        "select n, n::text || $2 as word, n / 7::numeric as part, date '2026-01-01' + n as day, array[n, null] as list from generate_series(1, $1::int) n";
      const values = [7, "é"];
      const { rows } = await db.query(text, values);
      expect(await read(db.stream(text, values))).toEqual(rows);
      const batches = await read(db.stream(text, values, { batchSize: 3 }).batches());
      expect(batches.map(({ length }) => length)).toEqual([3, 3, 1]);
      expect(batches.flat()).toEqual(rows);
      const arrays = await read(db.stream(text, values, { rowMode: "array", batchSize: 7 }));
      expect(arrays).toEqual((await db.query(text, values, { rowMode: "array" })).rows);
    },
  },
  {
    title: "gives nothing for what has no rows, and does it",
    async run({ db }) {
      expect(await read(db.stream(numbers(0)).batches())).toEqual([]);
      expect(await read(db.stream(sql`insert into ledger values (8801)`))).toEqual([]);
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 8801`)).toBe(1);
      expect(await read(db.stream("-- nothing"))).toEqual([]);
    },
  },
  {
    title: "gives the rows before an error, and then the error",
    async run({ db }) {
      const seen: number[] = [];
      const reading = async () => {
        for await (const { n } of db.stream(failingAt(8), { batchSize: 3 })) seen.push(n);
      };
      await failureOf(reading, { name: "DatabaseError", code: "22012", fate: "refused" });
      expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
      await failureOf(() => read(db.stream("select nonsense from")), { code: "42601", fate: "refused" });
    },
  },
  {
    title: "keeps what was written when it was read to its end, and nothing when it is left before, and says so",
    async run({ db }) {
      const insert = (entry: number) => sql`insert into ledger select ${entry}::int from generate_series(1, 9) returning entry`;
      const count = (entry: number) => onlyValue(db.sql`select count(*)::int from ledger where entry = ${entry}`);
      expect(await read(db.stream(insert(8802), { batchSize: 4 }))).toHaveLength(9);
      expect(await count(8802)).toBe(9);
      await failureOf(() => leaveAtFirst(db.stream(insert(8803), { batchSize: 4 })), {
        name: "TransactionError",
        code: "STREAM_BROKEN_OFF",
        fate: "refused",
      });
      await failureOf(() => leaveAtFirst(db.stream(insert(8803))), { code: "STREAM_BROKEN_OFF", fate: "refused" });
      expect(await count(8803)).toBe(0);
      const thrown = new Error("the loop's own");
      const throwing = async () => {
        for await (const _ of db.stream(insert(8803))) throw thrown;
      };
      expect(await throwing().catch((error) => error)).toBe(thrown);
      expect(await count(8803)).toBe(0);
    },
  },
  {
    title: "ends with a constraint that is checked at the end, behind its last row",
    async run({ db }) {
      await db.script("create table if not exists late (id int unique deferrable initially deferred); truncate late");
      let seen = 0;
      const reading = async () => {
        for await (const _ of db.stream(sql`insert into late values (1), (1) returning id`)) seen++;
      };
      await failureOf(reading, { code: "23505", fate: "refused" });
      expect(seen).toBe(2);
    },
  },
  {
    title: "is left without a word, and its connection is fit for the next",
    async run({ db }) {
      await leaveAtFirst(db.stream(numbers(10_000), { batchSize: 10 }));
      await leaveAtFirst(db.stream(numbers(10_000), { batchSize: 10 }).batches());
      await leaveAtFirst(db.stream(sql`select id from person for update`));
      expect(db.stats().running).toBe(0);
      expect(await onlyValue(db.sql`select count(*)::int from pg_cursors where name <> ''`)).toBe(0);
    },
  },
  {
    title: "is read once",
    async run({ db }) {
      const stream = db.stream(numbers(2));
      expect(await read(stream)).toHaveLength(2);
      await failureOf(() => read(stream), { name: "UsageError", code: "STREAM_USED", fate: "not-sent" });
      await failureOf(async () => stream.batches(), { code: "STREAM_USED" });
      await failureOf(async () => stream.toReadable(), { code: "STREAM_USED" });
    },
  },
  {
    title: "gives rows to several who ask at once, each one once",
    async run({ db }) {
      const rows = db.stream(numbers(5), { batchSize: 2 })[Symbol.asyncIterator]();
      const seen = await Promise.all(Array.from({ length: 7 }, () => rows.next()));
      expect(seen.map(({ value }) => value?.n)).toEqual([1, 2, 3, 4, 5, undefined, undefined]);
    },
  },
  {
    title: "is a stream of bytes, a line of JSON for each row",
    async run({ db }) {
      const body = db.stream(sql`select n, 'ü' as word from generate_series(1, 3) n`, { batchSize: 2 }).toReadable();
      expect(await new Response(body).text()).toBe('{"n":1,"word":"ü"}\n{"n":2,"word":"ü"}\n{"n":3,"word":"ü"}\n');
      const failing = new Response(db.stream(failingAt(4), { batchSize: 1 }).toReadable());
      await failureOf(() => failing.text(), { code: "22012", fate: "refused" });
      const left = db.stream(numbers(100), { batchSize: 1 }).toReadable().getReader();
      await left.read();
      await left.cancel();
      expect(db.stats().running).toBe(0);
    },
  },
  {
    title: "refuses what has no form in JSON as bytes, and gives the connection back",
    async run({ open }) {
      const db = open({ types: { 20: BigInt } });
      const body = db.stream("select 1::bigint as big").toReadable();
      await failureOf(() => new Response(body).text(), { code: "UNSUPPORTED_VALUE", fate: "not-sent" });
      expect(db.stats().running).toBe(0);
    },
  },
  {
    title: "goes on in a transaction while other statements are sent between its rows, and other streams",
    async run({ db }) {
      await db.transaction(async (tx) => {
        await tx.sql`insert into counter select n, 0 from generate_series(61, 67) n`;
        for await (const { id } of tx.stream(sql<{ id: number }>`select id from counter where id > 60`, { batchSize: 2 })) {
          const inner = await read(tx.stream(numbers(id - 60), { batchSize: 2 }));
          await tx.sql`update counter set value = ${inner.length} where id = ${id}`;
        }
        expect(await tx.sql`select id - 60 as n, value from counter where id > 60 order by id`).toEqual(
          [1, 2, 3, 4, 5, 6, 7].map((n) => ({ n, value: n })),
        );
        await leaveAtFirst(tx.stream(numbers(100), { batchSize: 1 }));
        await leaveAtFirst(tx.stream(sql`delete from counter where id > 60 returning id`, { batchSize: 1 }));
        expect(await onlyValue(tx.sql`select count(*)::int from pg_cursors where name <> ''`)).toBe(0);
      });
      // what is left in a transaction was done all the same: it goes with the transaction
      expect(await onlyValue(db.sql`select count(*)::int from counter where id > 60`)).toBe(0);
    },
  },
  {
    title: "outlives a savepoint that is taken back, and is not read around one that is open",
    async run({ db }) {
      await db.transaction(async (tx) => {
        const rows = tx.stream(numbers(6), { batchSize: 1 })[Symbol.asyncIterator]();
        expect((await rows.next()).value).toEqual({ n: 1 });
        await failureOf(() => tx.transaction((inner) => read(inner.stream(failingAt(3), { batchSize: 1 }))), { code: "22012" });
        expect((await rows.next()).value).toEqual({ n: 2 });
        await tx.transaction(async (inner) => {
          await failureOf(async () => rows.next(), { code: "NESTED_QUERY", fate: "not-sent" });
          await leaveAtFirst(inner.stream(numbers(3), { batchSize: 1 }));
        });
        expect(await tx.sql`select 1 as n`).toEqual([{ n: 1 }]);
      });
    },
  },
  {
    title: "fails its transaction where it fails, and is over with it",
    async run({ db }) {
      const failing = db.transaction(async (tx) => {
        await tx.sql`insert into ledger values (8804)`;
        await read(tx.stream(failingAt(3), { batchSize: 1 }));
      });
      await failureOf(() => failing, { code: "22012", fate: "refused" });
      expect(await onlyValue(db.sql`select count(*)::int from ledger where entry = 8804`)).toBe(0);
      let kept: AsyncIterator<unknown> | undefined;
      let late: Transaction | undefined;
      await db.transaction(async (tx) => {
        late = tx;
        kept = tx.stream(numbers(9), { batchSize: 1 })[Symbol.asyncIterator]();
        await kept.next();
      });
      await failureOf(async () => kept?.next(), { code: "TRANSACTION_OVER", fate: "not-sent" });
      await failureOf(async () => late && read(late.stream(numbers(1))), { code: "TRANSACTION_OVER", fate: "not-sent" });
    },
  },
  {
    title: "has a session to itself, in a transaction of its own",
    async run({ db }) {
      await db.session(async (session) => {
        const seen: number[] = [];
        for await (const { n } of session.stream(numbers(5), { batchSize: 2 })) {
          seen.push(n);
          await failureOf(() => session.sql`select 1`, { code: "NESTED_QUERY", fate: "not-sent" });
          await failureOf(() => read(session.stream(numbers(1))), { code: "NESTED_QUERY" });
        }
        expect(seen).toEqual([1, 2, 3, 4, 5]);
        await leaveAtFirst(session.stream(numbers(9), { batchSize: 2 }));
        const insert = sql`insert into ledger select 8806 from generate_series(1, 9) returning entry`;
        await failureOf(() => leaveAtFirst(session.stream(insert)), { code: "STREAM_BROKEN_OFF", fate: "refused" });
        expect(await onlyValue(session.sql`select count(*)::int from ledger where entry = 8806`)).toBe(0);
        expect(await read(session.stream(insert, { batchSize: 2 }))).toHaveLength(9);
        await failureOf(() => read(session.stream(failingAt(3), { batchSize: 1 })), { code: "22012", fate: "refused" });
        expect(await onlyValue(session.sql`select count(*)::int from ledger where entry = 8806`)).toBe(9);
        await session.transaction(async (tx) => expect(await read(tx.stream(numbers(3), { batchSize: 1 }))).toHaveLength(3));
      });
    },
  },
  {
    title: "goes on in the transaction that a session's own BEGIN has opened, until that ends",
    async run({ db }) {
      await db.session(async (session) => {
        await session.query("begin");
        for await (const { n } of session.stream(numbers(5), { batchSize: 2 })) {
          await session.sql`insert into ledger values (${8810 + n})`;
        }
        await leaveAtFirst(session.stream(numbers(9), { batchSize: 2 }));
        expect(await onlyValue(session.sql`select count(*)::int from pg_cursors where name <> ''`)).toBe(0);
        const rows = session.stream(numbers(9), { batchSize: 1 })[Symbol.asyncIterator]();
        await rows.next();
        await session.query("commit");
        await failureOf(async () => rows.next(), { code: "TRANSACTION_OVER", fate: "not-sent" });
        expect(await onlyValue(session.sql`select count(*)::int from ledger where entry between 8811 and 8815`)).toBe(5);
      });
    },
  },
  {
    title: "is over with its session, which says that it was open",
    async run({ db }) {
      let kept: AsyncIterator<unknown> | undefined;
      const ended = db.session(async (session) => {
        kept = session.stream(numbers(9), { batchSize: 1 })[Symbol.asyncIterator]();
        await kept.next();
      });
      await failureOf(() => ended, { code: "SESSION_OVER" });
      await failureOf(async () => kept?.next(), { code: "SESSION_OVER" });
      await failureOf(() => db.session(async (session) => read(session.stream("commit"))), { code: "TRANSACTION_CONTROL" });
    },
  },
  {
    title: "is kept from writing by readOnly",
    async run({ db }) {
      await failureOf(() => read(db.stream(sql`insert into ledger values (8805) returning entry`, { readOnly: true })), {
        code: "25006",
        fate: "refused",
      });
      expect(await read(db.stream(numbers(3), { readOnly: true, batchSize: 1 }))).toHaveLength(3);
    },
  },
  {
    title: "refuses options that are none and texts that a query may not be, before anything is sent",
    async run({ db }) {
      for (const batchSize of [0, -1, 1.5, 2 ** 31, Number.NaN, "10", null]) {
        await failureOf(async () => db.stream(numbers(1), { batchSize: batchSize as number }), {
          code: "INVALID_OPTION",
          fate: "not-sent",
        });
      }
      await failureOf(async () => db.stream(numbers(1), { fallback: () => [] } as object), { code: "INVALID_OPTION" });
      await failureOf(async () => db.stream(1 as never), { code: "INVALID_STATEMENT" });
      await failureOf(async () => db.stream("commit"), { code: "TRANSACTION_CONTROL" });
      await failureOf(async () => db.stream("select pg_advisory_lock(1)"), { code: "SESSION_STATE" });
      await failureOf(async () => db.stream("copy person to stdout"), { code: "NOT_DELIVERED" });
      await db.transaction(async (tx) => {
        await failureOf(async () => tx.stream("rollback"), { code: "TRANSACTION_CONTROL" });
        await failureOf(async () => tx.stream(numbers(1), { deadlineMs: 1 } as object), { code: "INVALID_OPTION" });
      });
    },
  },
  {
    title: "is refused beside its own transaction, and on a database that was closed",
    async run({ db, open, knowsNesting }) {
      if (knowsNesting) {
        await db.transaction(async () => {
          await failureOf(() => read(db.stream(numbers(1))), { code: "NESTED_QUERY", fate: "not-sent" });
        });
      }
      const closed = open();
      await closed.sql`select 1`;
      const stream = closed.stream(numbers(1));
      await closed.close();
      await failureOf(() => read(stream), { code: "CLOSED", fate: "not-sent" });
    },
  },
  {
    title: "ends with its fate at its deadline and by its signal, between rows and in the middle of one",
    async run({ db, cancels }) {
      const isOver = async () => {
        await db.sql`select 1`;
        return db.stats().running;
      };
      const late = db.stream(numbers(9), { batchSize: 2, deadlineMs: 1_500 })[Symbol.asyncIterator]();
      await late.next();
      await eventually(isOver, 0);
      // also in the middle of what was fetched: the reader's own time is bounded, too
      await failureOf(async () => late.next(), { name: "CancelledError", code: "DEADLINE_EXCEEDED", fate: "refused" });
      expect(await late.next()).toEqual({ value: undefined, done: true });

      const between = new AbortController();
      const rows = db.stream(numbers(9), { batchSize: 1, signal: between.signal })[Symbol.asyncIterator]();
      await rows.next();
      between.abort();
      await failureOf(async () => rows.next(), { name: "CancelledError", code: "ABORTED", fate: "refused" });

      if (!cancels) return;
      const within = new AbortController();
      const sleepy = db.stream(sql`select n, pg_sleep(n * 30) from generate_series(0, 9) n`, { batchSize: 1, signal: within.signal });
      const reading = async () => {
        for await (const _ of sleepy) setTimeout(() => within.abort(), 50);
      };
      await failureOf(reading, { name: "CancelledError", code: "ABORTED", fate: "refused" });
    },
  },
  {
    title: "bounds the bytes of a batch, not those of all",
    async run({ open }) {
      const db = open({ maxResponseBytes: 10_000 });
      const wide = sql`select repeat('x', 1000) as wide from generate_series(1, 50)`;
      expect(await read(db.stream(wide, { batchSize: 5 }))).toHaveLength(50);
      await failureOf(() => read(db.stream(wide, { batchSize: 20 })), { code: "RESPONSE_TOO_LARGE", fate: "refused" });
    },
  },
  {
    title: "tells of a value that could not be read, and that nothing stays",
    async run({ open }) {
      const parse = (text: string) => {
        if (text === "4") throw new Error("no four");
        return Number(text);
      };
      const db = open({ types: { 23: parse } });
      const seen: number[] = [];
      const reading = async () => {
        for await (const { n } of db.stream(numbers(5), { batchSize: 2 })) seen.push(n);
      };
      await failureOf(reading, { name: "DecodeError", code: "DECODE_FAILED", fate: "refused" });
      expect(seen).toEqual([1, 2]);
    },
  },
];

/** Rows as they come: portals, their back-pressure, and how they end. */
export const streams: Subject = { title: "streams", cases };
