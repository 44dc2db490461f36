import { and, asc, avg, count, DrizzleError, DrizzleQueryError, desc, eq, gt, inArray, sql, sum } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { fateOf } from "warmline";
import type { DrizzleDatabase, DrizzleTransaction } from "warmline/drizzle";
import { type Bench, failureOf } from "../orm.ts";
import { authors, books, chapters, kinds } from "./drizzle-tables.ts";

/** What differs between the majors. */
export interface Major {
  readonly open: (db: Bench["db"]) => DrizzleDatabase;
  /** Authors with their books with their chapters, by a relational query of a database or transaction. */
  readonly threeDeep: (orm: DrizzleDatabase | DrizzleTransaction) => Promise<unknown>;
  /** A book's author, whose columns come as JSON: those of `inside`. */
  readonly nested: (orm: DrizzleDatabase) => Promise<unknown>;
  /** What survives that. */
  readonly inside: readonly (keyof typeof ada)[];
  /** What only this one has. */
  readonly more?: (bench: Bench, orm: DrizzleDatabase) => Promise<void>;
}

const ada = {
  name: "Ada",
  mood: "glad" as const,
  born: "1815-12-10",
  balance: "12345.67",
  big: 9007199254740993n,
  count: 42,
  tags: ["a", 'b "quoted"', "c,d", ""],
  scores: [1, -2, 3],
  profile: { deep: { n: 1 }, langs: ["en"] },
  made: new Date("2026-11-26T01:02:03.456Z"),
  seen: new Date("2026-01-02T03:04:05.678Z"),
  seenText: "2026-01-02 03:04:05.678",
  avatar: Uint8Array.of(0, 1, 127, 128, 255),
};
const { name, mood, born, balance, big, tags, scores, profile, made, seen, seenText, avatar } = ada;

/** What can be told of an error without its words. */
function facts(error: unknown): unknown {
  const own = error as { code?: string; fate?: string; retryable?: boolean; cause?: typeof own };
  // an aborted call has the signal's reason as its cause
  const { code, fate, retryable } = own.fate === undefined ? (own.cause ?? own) : own;
  return {
    name: error instanceof DrizzleQueryError ? "DrizzleQueryError" : (error as Error).name,
    code,
    fate,
    retryable,
    told: fateOf(error),
  };
}

/** Everything an application does, by one major of Drizzle or the other. */
export async function runDrizzle(bench: Bench, major: Major): Promise<void> {
  const orm = major.open(bench.db);
  await writes(bench, orm);
  await reads(bench, orm);
  await columns(bench, orm);
  await relations(bench, orm, major);
  await batches(bench, orm);
  await transactions(bench, orm, major);
  await failures(bench, orm, major);
  await roundTrips(bench, orm);
  await major.more?.(bench, orm);
}

async function writes({ check }: Bench, orm: DrizzleDatabase): Promise<void> {
  const [row] = await orm.insert(authors).values(ada).returning();
  check("insert returning, every type", row, { id: 1, ...ada });
  const [read] = await orm.select().from(authors);
  check("select, every type", read, { id: 1, ...ada });
  const inserted = await orm.insert(authors).values([{ name: "Grace" }, { name: "Edsger", mood: "sad", profile: [1, 2] }]);
  check("insert without returning", [inserted.length, inserted.rowCount, inserted.command], [0, 2, "INSERT"]);
  check("defaults are NULL", (await orm.select().from(authors).where(eq(authors.name, "Grace")))[0], {
    id: 2,
    name: "Grace",
    ...Object.fromEntries(Object.keys(ada).map((key) => [key, key === "name" ? "Grace" : null])),
  });
  check("an array as JSON", await orm.select({ profile: authors.profile }).from(authors).where(eq(authors.id, 3)), [{ profile: [1, 2] }]);
  const [upserted] = await orm
    .insert(authors)
    .values({ name: "Grace", count: 1 })
    .onConflictDoUpdate({ target: authors.name, set: { count: sql`coalesce(${authors.count}, 10) + 1` } })
    .returning({ id: authors.id, count: authors.count });
  check("upsert", upserted, { id: 2, count: 11 });
  check("conflict, nothing done", (await orm.insert(authors).values({ name: "Ada" }).onConflictDoNothing()).rowCount, 0);
  const updated = await orm
    .update(authors)
    .set({ mood: "sad", born: "1906-12-09" })
    .where(eq(authors.id, 2))
    .returning({ born: authors.born });
  check("update returning", updated, [{ born: "1906-12-09" }]);
  check("update without returning", (await orm.update(authors).set({ mood: "glad" }).where(gt(authors.id, 1))).rowCount, 2);
  const shelf = [
    { authorId: 1, title: "Notes", pages: 66 },
    { authorId: 1, title: "Letters", pages: 120 },
    { authorId: 2, title: "Compilers", pages: 300 },
  ];
  check(
    "insert many",
    (await orm.insert(books).values(shelf).returning({ id: books.id })).map(({ id }) => id),
    [1, 2, 3],
  );
  await orm
    .insert(chapters)
    .values([1, 2, 3].flatMap((bookId) => [1, 2].map((n) => ({ bookId, title: `${bookId}.${n}`, words: n * 100 }))));
  check("delete returning", await orm.delete(chapters).where(eq(chapters.title, "3.2")).returning({ title: chapters.title }), [
    { title: "3.2" },
  ]);
}

async function reads({ check }: Bench, orm: DrizzleDatabase): Promise<void> {
  const joined = await orm
    .select({ author: authors.name, title: books.title, pages: books.pages })
    .from(books)
    .innerJoin(authors, eq(books.authorId, authors.id))
    .orderBy(asc(books.id));
  check(
    "join",
    joined.map(({ author, title }) => `${author}: ${title}`),
    ["Ada: Notes", "Ada: Letters", "Grace: Compilers"],
  );
  const left = await orm.select().from(authors).leftJoin(books, eq(books.authorId, authors.id)).where(eq(authors.id, 3));
  check(
    "left join with nothing",
    left.map(({ book }) => book),
    [null],
  );
  const page = orm.select({ id: chapters.id }).from(chapters).orderBy(desc(chapters.id)).limit(2).offset(1);
  check("a page", await page, [{ id: 4 }, { id: 3 }]);
  const [totals] = await orm.select({ n: count(), pages: sum(books.pages), average: avg(books.pages) }).from(books);
  check("aggregates", totals, { n: 3, pages: "486", average: "162.0000000000000000" });
  const groups = await orm.select({ id: books.authorId, n: count() }).from(books).groupBy(books.authorId).orderBy(books.authorId);
  check("groups", groups, [
    { id: 1, n: 2 },
    { id: 2, n: 1 },
  ]);
  check("$count", [await orm.$count(books), await orm.$count(books, gt(books.pages, 100))], [3, 2]);
  const long = orm.$with("long").as(orm.select().from(books).where(gt(books.pages, 100)));
  check("$with", await orm.with(long).select({ title: long.title }).from(long).orderBy(long.id), [
    { title: "Letters" },
    { title: "Compilers" },
  ]);
  const prepared = orm
    .select({ title: books.title })
    .from(books)
    .where(and(eq(books.authorId, sql.placeholder("author")), gt(books.pages, sql.placeholder("pages"))))
    .orderBy(books.id)
    .prepare("by_author");
  check("prepared", await prepared.execute({ author: 1, pages: 0 }), [{ title: "Notes" }, { title: "Letters" }]);
  check("prepared, again", await prepared.execute({ author: 1, pages: 100 }), [{ title: "Letters" }]);
  check(
    "in a list",
    (
      await orm
        .select()
        .from(books)
        .where(inArray(books.id, [1, 3]))
    ).length,
    2,
  );
  check(
    "by an enum and a date",
    await orm
      .select({ id: authors.id })
      .from(authors)
      .where(and(eq(authors.mood, "glad"), eq(authors.born, born))),
    [{ id: 1 }],
  );
  check("by a bigint", await orm.select({ id: authors.id }).from(authors).where(eq(authors.big, big)), [{ id: 1 }]);
  check(
    "by a timestamp",
    await orm
      .select({ id: authors.id })
      .from(authors)
      .where(and(eq(authors.made, made), eq(authors.seen, seen))),
    [{ id: 1 }],
  );
  check("by an array", await orm.select({ id: authors.id }).from(authors).where(eq(authors.tags, tags)), [{ id: 1 }]);
  check("by bytes", await orm.select({ id: authors.id }).from(authors).where(eq(authors.avatar, avatar)), [{ id: 1 }]);

  const raw = await orm.execute<{ n: number; t: string }>(sql`select ${7}::int as n, ${"text"} as t`);
  check("execute, as rows", raw, [{ n: 7, t: "text" }]);
  check(
    "execute, as a result",
    [raw.rows, raw.rowCount, raw.command, raw.fields.map((field) => field.name)],
    [[{ n: 7, t: "text" }], 1, "SELECT", ["n", "t"]],
  );
  check("execute of a text", (await orm.execute("select '2026-01-02'::date as day, 1::int8 as big")).rows, [
    { day: "2026-01-02", big: "1" },
  ]);
  check("nothing changes for queries of one's own", (await orm.$client.query("select '2026-01-02 00:00+00'::timestamptz as at")).rows, [
    { at: new Date("2026-01-02T00:00:00Z") },
  ]);
}

/** One of each type, and an array of those that drivers read in their own way. */
async function columns({ check }: Bench, orm: DrizzleDatabase): Promise<void> {
  const at = new Date("2026-03-04T05:06:07.089Z");
  const row = {
    small: 1,
    real: 1.5,
    double: -0.1,
    exact: "0.10",
    exactNumber: 1.25,
    exactBig: 123456789012345678901n,
    flag: true,
    char: "ab  ",
    varchar: "text",
    uuid: "6f1c2b1e-4c5d-4e6f-8a9b-0c1d2e3f4a5b",
    day: new Date("2026-03-04"),
    time: "05:06:07.089",
    interval: "1 year 2 mons",
    json: [1, { a: null }],
    inet: "10.0.0.1",
    cidr: "10.0.0.0/8",
    mac: "08:00:2b:01:02:03",
    point: { x: 1.5, y: -2 },
    pair: [1, 2] as [number, number],
    line: { a: 1, b: 2, c: 3 },
    days: ["2026-01-02", "2026-03-04"],
    times: [at, at],
    exacts: ["1.10", "-2.00"],
    bigs: [1n, 9007199254740993n],
    flags: [true, false],
    moods: ["glad", "sad"] as ("glad" | "sad")[],
    // in 1.0 the types know of one dimension
    nested: [
      ["a", "b"],
      ["c", "d"],
    ] as never,
  };
  check("columns, written and returned", await orm.insert(kinds).values(row).returning(), [row]);
  check("columns, read", await orm.select().from(kinds), [row]);
  const [batched] = await orm.batch([orm.select().from(kinds)]);
  check("columns, in a batch", batched, [row]);
  const found = orm
    .select({ small: kinds.small })
    .from(kinds)
    .where(and(eq(kinds.day, row.day), eq(kinds.exact, "0.1"), eq(kinds.times, row.times)));
  check("columns, compared", await found, [{ small: 1 }]);
}

async function relations({ check }: Bench, orm: DrizzleDatabase, { threeDeep, nested, inside }: Major): Promise<void> {
  const tree = [
    {
      ...{ id: 1, name, mood, born, balance, big, tags, scores, profile, made, seen, seenText },
      books: [
        {
          title: "Notes",
          chapters: [
            { title: "1.1", words: 100 },
            { title: "1.2", words: 200 },
          ],
        },
        {
          title: "Letters",
          chapters: [
            { title: "2.1", words: 100 },
            { title: "2.2", words: 200 },
          ],
        },
      ],
    },
  ];
  check("relations, three deep", await threeDeep(orm), tree);
  const author = Object.fromEntries(inside.map((column) => [column, ada[column]]));
  check("relations, every type within", await nested(orm), { id: 1, author });
  check("relations in a transaction", await orm.transaction((tx) => threeDeep(tx)), tree);
}

async function batches({ check }: Bench, orm: DrizzleDatabase): Promise<void> {
  const [inserted, updated, all, raw, n, none] = await orm.batch([
    orm.insert(books).values({ authorId: 3, title: "Structured", pages: 1 }).returning({ id: books.id, title: books.title }),
    orm.update(books).set({ pages: 2 }).where(eq(books.title, "Structured")),
    orm.select({ pages: books.pages }).from(books).where(eq(books.title, "Structured")),
    orm.execute<{ n: number }>(sql`select 1 as n, 2 as m`),
    // Drizzle's types do not know that it is a query like others
    orm.$count(books) as unknown as BatchItem<"pg">,
    orm.delete(books).where(eq(books.title, "No such")),
  ]);
  check(
    "a batch",
    [inserted, updated.rowCount, all, raw.rows, n, none.rowCount],
    [[{ id: 4, title: "Structured" }], 1, [{ pages: 2 }], [{ n: 1, m: 2 }], 4, 0],
  );
  const failed = await failureOf(() =>
    orm.batch([orm.delete(books).where(eq(books.id, 4)), orm.insert(authors).values({ name: "Ada" }), orm.select().from(books)]),
  );
  check("a batch that fails", facts(failed), { name: "DatabaseError", code: "23505", fate: "refused", retryable: false, told: "refused" });
  check("all of it undone", await orm.$count(books), 4);
  const begun = orm.execute(sql`select 1`);
  await begun;
  check("no batch of what is none", facts(await failureOf(() => orm.batch([null as never]))), {
    ...{ name: "UsageError", code: "INVALID_STATEMENT", fate: "not-sent", retryable: false, told: "not-sent" },
  });
}

async function transactions({ check }: Bench, orm: DrizzleDatabase, { threeDeep }: Major): Promise<void> {
  const kept = await orm.transaction(async (tx) => {
    await tx.insert(authors).values({ name: "outer" });
    const lost = await failureOf(() =>
      tx.transaction(async (inner) => {
        await inner.insert(authors).values({ name: "inner" });
        inner.rollback();
      }),
    );
    check("rollback of a savepoint", lost instanceof DrizzleError, true);
    await tx.transaction(async (inner) => {
      await inner.insert(authors).values({ name: "second" });
      check("a savepoint in a savepoint", await inner.transaction((third) => third.$count(authors)), 5);
    });
    return tx.select({ name: authors.name }).from(authors).where(gt(authors.id, 3)).orderBy(authors.id);
  });
  check("what a transaction gives", kept, [{ name: "outer" }, { name: "second" }]);
  check("what it leaves", await orm.$count(authors), 5);
  const rolledBack = await failureOf(() =>
    orm.transaction(async (tx) => {
      await tx.delete(chapters);
      tx.rollback();
    }),
  );
  check("rollback", [(rolledBack as Error).message, await orm.$count(chapters)], ["Rollback", 5]);
  const thrown = new Error("the caller's own");
  check("an error of the caller's own", (await failureOf(() => orm.transaction(() => Promise.reject(thrown)))) === thrown, true);
  const modes = sql`select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as readonly`;
  const strict = { isolationLevel: "serializable", accessMode: "read only", deferrable: true } as const;
  check("modes", (await orm.transaction((tx) => tx.execute(modes), strict)).rows, [{ isolation: "serializable", readonly: "on" }]);
  const set = await orm.transaction(async (tx) => {
    await tx.setTransaction({ isolationLevel: "repeatable read", accessMode: "read write" });
    return tx.execute(modes);
  });
  check("modes that are set inside", set.rows, [{ isolation: "repeatable read", readonly: "off" }]);
  const refused = await failureOf(() => orm.transaction((tx) => tx.delete(chapters), { accessMode: "read only" }));
  check("a write in a read-only transaction", facts(refused), {
    ...{ name: "DrizzleQueryError", code: "25006", fate: "refused", retryable: false, told: "refused" },
  });
  let tries = 0;
  const again = await orm.transaction(
    async (tx) => {
      await tx.execute(sql`select 1`);
      tries++;
      if (tries < 3) await tx.execute(sql`do $$ begin raise exception 'conflict' using errcode = '40001'; end $$`);
      return tries;
    },
    { retries: 2 },
  );
  check("repeats of a transaction", again, 3);
  check("relations after it all", ((await threeDeep(orm)) as unknown[]).length, 1);
}

async function failures({ check, open }: Bench, orm: DrizzleDatabase, { open: over }: Major): Promise<void> {
  const conflict = await failureOf(() => orm.insert(authors).values({ name: "Ada" }));
  const { constraint } = (conflict as { cause: { constraint?: string } }).cause;
  check(
    "a conflict",
    [facts(conflict), constraint],
    [{ name: "DrizzleQueryError", code: "23505", fate: "refused", retryable: false, told: "refused" }, "author_name_key"],
  );
  const swallowed = await failureOf(() =>
    orm.transaction(async (tx) => {
      await tx
        .insert(authors)
        .values({ name: "Ada" })
        .catch(() => {});
    }),
  );
  check("a failure that was swallowed", facts(swallowed), {
    ...{ name: "TransactionError", code: "TRANSACTION_FAILED", fate: "refused", retryable: false, told: "refused" },
  });
  const recovered = await orm.transaction(async (tx) => {
    const error = await failureOf(() => tx.transaction((inner) => inner.insert(authors).values({ name: "Ada" })));
    return [facts(error), await tx.$count(authors)];
  });
  const known = { name: "DrizzleQueryError", code: "23505", fate: "refused", retryable: false, told: "refused" };
  check("a failure that a savepoint undoes", recovered, [known, 5]);
  const slow = await failureOf(() => over(open({ deadlineMs: 200 })).execute(sql`select pg_sleep(30)`));
  check("a time-out", (facts(slow) as { code: string }).code, "DEADLINE_EXCEEDED");
  const controller = new AbortController();
  const aborted = await failureOf(() =>
    orm.transaction(
      async (tx) => {
        await tx.delete(chapters);
        setTimeout(() => controller.abort(), 100);
        await tx.execute(sql`select pg_sleep(30)`);
      },
      { signal: controller.signal },
    ),
  );
  check(
    "an abort",
    [facts(aborted), await orm.$count(chapters)],
    [{ name: "CancelledError", code: "ABORTED", fate: "refused", retryable: false, told: "refused" }, 5],
  );
  const unread = await failureOf(() => orm.execute(sql`select * from no_such_table`));
  check("a table that is not there", facts(unread), {
    name: "DrizzleQueryError",
    code: "42P01",
    fate: "refused",
    retryable: false,
    told: "refused",
  });
}

async function roundTrips({ check, roundTrips: count }: Bench, orm: DrizzleDatabase): Promise<void> {
  check("round trips of a query", await count("calls", () => orm.select().from(books)), 1);
  check(
    "round trips of a batch",
    await count("calls", () => orm.batch([orm.select().from(books), orm.execute("select 1"), orm.select().from(chapters)])),
    1,
  );
  check(
    "round trips of a transaction of two",
    await count("session", () =>
      orm.transaction(async (tx) => {
        await tx.select().from(books);
        await tx.update(books).set({ pages: 3 }).where(eq(books.id, 4));
      }),
    ),
    3,
  );
}

/** What one of many requests does: a query, a batch and a transaction. */
export function requestOf(orm: DrizzleDatabase): () => Promise<unknown> {
  return async () => {
    const [book] = await orm.select().from(books).where(eq(books.id, 1));
    const [all] = await orm.batch([orm.select().from(chapters), orm.execute(sql`select 1`)]);
    const n = await orm.transaction(async (tx) => {
      await tx.update(books).set({ pages: 1 }).where(eq(books.id, 0));
      return tx.$count(books);
    });
    return [book?.title, all.length, n];
  };
}
