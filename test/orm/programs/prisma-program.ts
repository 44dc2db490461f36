import { PrismaClient } from "prisma-client";
import type { Database } from "warmline";
import { atModuleScope } from "warmline/prisma";
import { type Bench, failureOf, type Orm } from "../orm.ts";
import { prismaGathers } from "./prisma-gathers.ts";

const tables = `
  create type "Mood" as enum ('sad', 'happy');
  create table "Author" (id serial primary key, name text not null constraint "Author_name_key" unique);
  create table "Book" (
    id serial primary key, title text not null, "authorId" int not null constraint "Book_authorId_fkey" references "Author",
    mood "Mood", moods "Mood"[], tags text[], grid int[], price numeric(10, 2), prices numeric(65, 30)[], sold int8, solds int8[],
    data jsonb, datas jsonb[], at timestamptz(6), ats timestamptz(6)[], local timestamp(3), day date, clock time(3), bytes bytea, blobs bytea[],
    score float8, uid uuid, yes bool
  );
  create table "Review" (id serial primary key, text text not null, "bookId" int not null references "Book")`;

/** Decimals are of a class of Prisma's own, whose inside differs from place to place. */
const plain = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || value instanceof Date || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if ("toFixed" in value) return `decimal ${value}`;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
};

interface PrismaError {
  readonly code?: string;
  readonly meta?: {
    readonly driverAdapterError?: { readonly cause?: { readonly kind?: string }; readonly code?: string; readonly fate?: string };
  };
}

interface Operation {
  readonly args: object;
  readonly query: (args: object) => Promise<unknown>;
}

/** What Prisma does, over an adapter: this package's, or its `own` for pg, which what is particular to this package is not asked of. */
export function prismaProgram(adapter: (db: Database, bench: Bench) => object, whose: "ours" | "own" = "ours"): Orm {
  return {
    tables,
    async run(bench) {
      const open = (db: Database) => atModuleScope(new PrismaClient({ adapter: adapter(db, bench) }));
      const prisma = open(bench.db);
      const check = (title: string, actual: unknown, expected: unknown) => bench.check(title, plain(actual), expected);
      const particular = async (title: string, expected: unknown, actual: () => Promise<unknown>) =>
        check(title, whose === "ours" ? await actual() : expected, expected);
      const failure = async (work: () => Promise<unknown>) => (await failureOf(work)) as PrismaError;
      const codeOf = async (work: () => Promise<unknown>) => {
        const { code, meta } = await failure(work);
        return [code, meta?.driverAdapterError?.cause?.kind];
      };
      const names = async () => ((await prisma.author.findMany({ orderBy: { id: "asc" } })) as { name: string }[]).map(({ name }) => name);

      // create
      check("create", await prisma.author.create({ data: { name: "Ada" } }), { id: 1, name: "Ada" });
      check("create many", await prisma.author.createMany({ data: [{ name: "Grace" }, { name: "Edsger" }] }), { count: 2 });
      check("create many and return", await prisma.author.createManyAndReturn({ data: [{ name: "Barbara" }] }), [
        { id: 4, name: "Barbara" },
      ]);
      const moment = new Date("2026-03-04T05:06:07.089Z");
      const values = {
        mood: "happy",
        moods: ["sad", "happy"],
        tags: ["a", 'q"\\', "NULL", ""],
        grid: [1, -2],
        sold: 9_007_199_254_740_993n,
        solds: [1n, -9_007_199_254_740_993n],
        data: { list: [1, { deep: null }], text: "ü" },
        datas: [{ a: 1 }, "text", 2],
        at: moment,
        ats: [moment, new Date(0)],
        local: moment,
        day: new Date("2026-03-04T00:00:00.000Z"),
        clock: new Date("1970-01-01T05:06:07.089Z"),
        bytes: new Uint8Array([0, 255, 92, 39]),
        blobs: [new Uint8Array([1]), new Uint8Array([])],
        score: 0.1,
        uid: "7b0c6a3e-0d6e-4a8f-9d3b-0a5f6c1d2e3f",
        yes: true,
      };
      const stored = await prisma.book.create({ data: { ...values, title: "Notes", authorId: 1, price: "12.50", prices: ["1.10", "-2"] } });
      for (const [name, value] of Object.entries(values)) check(`column ${name}`, stored[name], value);
      check("column price", stored.price, "decimal 12.5");
      check("column prices", stored.prices, ["decimal 1.1", "decimal -2"]);
      check("read again", plain(await prisma.book.findUnique({ where: { id: 1 } })), plain(stored));
      const bare = await prisma.book.create({ data: { title: "Engines", authorId: 1, price: "7.25", mood: "sad" } });
      check("what is null", [bare.sold, bare.data, bare.at, bare.bytes, bare.yes, bare.tags], [null, null, null, null, null, []]);

      // read
      const on = { author: { select: { name: true } } };
      check("where a bigint", await prisma.book.findMany({ where: { sold: values.sold }, select: { id: true } }), [{ id: 1 }]);
      check("where a date", await prisma.book.findMany({ where: { at: moment, day: values.day }, select: { id: true } }), [{ id: 1 }]);
      check("where an enum", await prisma.book.findMany({ where: { mood: { in: ["sad"] } }, select: { title: true, ...on } }), [
        { title: "Engines", author: { name: "Ada" } },
      ]);
      check("where an array has", await prisma.book.findMany({ where: { tags: { has: "NULL" } }, select: { id: true } }), [{ id: 1 }]);
      check("where JSON", await prisma.book.findMany({ where: { data: { path: ["text"], equals: "ü" } }, select: { id: true } }), [
        { id: 1 },
      ]);
      check("where a decimal", await prisma.book.findMany({ where: { price: { gt: "7.25" } }, select: { id: true } }), [{ id: 1 }]);
      check("nothing", await prisma.author.findUnique({ where: { id: 99 } }), null);
      await prisma.author.create({
        data: { name: "Tony", books: { create: [{ title: "Null", reviews: { create: [{ text: "sorry" }, { text: "billion" }] } }] } },
      });
      check(
        "relations three deep",
        await prisma.author.findFirst({
          where: { name: "Tony" },
          select: { name: true, books: { select: { title: true, reviews: { select: { text: true }, orderBy: { id: "asc" } } } } },
        }),
        { name: "Tony", books: [{ title: "Null", reviews: [{ text: "sorry" }, { text: "billion" }] }] },
      );
      check("a relation the other way", await prisma.review.findFirst({ where: { text: "billion" }, select: { book: { select: on } } }), {
        book: { author: { name: "Tony" } },
      });
      check("page", await prisma.author.findMany({ orderBy: { name: "asc" }, skip: 1, take: 2, select: { name: true } }), [
        { name: "Barbara" },
        { name: "Edsger" },
      ]);
      check("page from a cursor", await prisma.author.findMany({ cursor: { id: 2 }, orderBy: { id: "asc" }, take: 1 }), [
        { id: 2, name: "Grace" },
      ]);
      check("count", await prisma.author.count({ where: { books: { some: {} } } }), 2);
      check(
        "aggregates",
        await prisma.book.aggregate({ _sum: { price: true, sold: true }, _avg: { score: true }, _max: { at: true }, _count: true }),
        { _sum: { price: "decimal 19.75", sold: values.sold }, _avg: { score: 0.1 }, _max: { at: moment }, _count: 3 },
      );
      check("grouped", await prisma.book.groupBy({ by: ["authorId"], _count: { _all: true }, orderBy: { authorId: "asc" } }), [
        { _count: { _all: 2 }, authorId: 1 },
        { _count: { _all: 1 }, authorId: 5 },
      ]);
      check(
        "raw",
        await prisma.$queryRaw`select ${1}::int + ${2}::int as sum, ${moment}::timestamptz as at, ${"a"} as text, 5::int8 as big, array[1.5] as list,
          null::date as nothing, '{"a": 1}'::json as data, 'sad'::"Mood" as mood, '01:02'::time as clock, '\\x00ff'::bytea as bytes`,
        [
          {
            sum: 3,
            at: moment,
            text: "a",
            big: 5n,
            list: ["decimal 1.5"],
            nothing: null,
            data: { a: 1 },
            mood: "sad",
            clock: new Date("1970-01-01T01:02:00.000Z"),
            bytes: new Uint8Array([0, 255]),
          },
        ],
      );
      check("executed raw", await prisma.$executeRaw`update "Book" set score = ${2.5} where "authorId" = ${1}`, 2);
      check("a type Prisma has none of", await codeOf(() => prisma.$queryRaw`select '(1,2)'::point`), [
        "P2010",
        "UnsupportedNativeDataType",
      ]);

      // update, upsert, delete
      check("update", await prisma.author.update({ where: { id: 3 }, data: { name: "Edsger W." } }), { id: 3, name: "Edsger W." });
      check("update many", await prisma.book.updateMany({ where: { authorId: 1 }, data: { price: { increment: 1 } } }), { count: 2 });
      const upsert = (name: string) => prisma.author.upsert({ where: { name }, create: { name }, update: { name: `${name} again` } });
      check(
        "upsert",
        [await upsert("Donald"), await upsert("Donald")],
        [
          { id: 6, name: "Donald" },
          { id: 6, name: "Donald again" },
        ],
      );
      check("delete", await prisma.author.delete({ where: { id: 6 } }), { id: 6, name: "Donald again" });
      check("delete many", await prisma.review.deleteMany({ where: { text: "billion" } }), { count: 1 });

      // what fails
      check("conflict", await codeOf(() => prisma.author.create({ data: { name: "Ada" } })), ["P2002", "UniqueConstraintViolation"]);
      check("foreign key", await codeOf(() => prisma.book.create({ data: { title: "x", authorId: 99 } })), [
        "P2003",
        "ForeignKeyConstraintViolation",
      ]);
      check("no such table", await codeOf(() => prisma.$queryRaw`select * from nowhere`), ["P2010", "TableDoesNotExist"]);
      check("what cannot be divided", await codeOf(() => prisma.$queryRaw`select 1 / 0`), ["P2010", "postgres"]);
      await particular("the fate of a conflict", ["23505", "refused"], async () => {
        const { code, fate } = (await failure(() => prisma.author.create({ data: { name: "Ada" } }))).meta?.driverAdapterError ?? {};
        return [code, fate];
      });

      // transactions
      check(
        "batch",
        await prisma.$transaction([prisma.author.create({ data: { name: "One" }, select: { name: true } }), prisma.author.count()]),
        [{ name: "One" }, 6],
      );
      check(
        "a batch that fails",
        await codeOf(() =>
          prisma.$transaction([prisma.author.create({ data: { name: "Undone" } }), prisma.author.create({ data: { name: "Ada" } })]),
        ),
        ["P2002", "UniqueConstraintViolation"],
      );
      const level = await prisma.$transaction((tx) => tx.$queryRaw`select current_setting('transaction_isolation') as level`, {
        isolationLevel: "Serializable",
      });
      check("isolation", level, [{ level: "serializable" }]);
      const stop = async (tx: PrismaClient) => {
        await tx.author.create({ data: { name: "Undone" } });
        throw new Error("stop");
      };
      check("an error rolls back", ((await failureOf(() => prisma.$transaction(stop))) as Error).message, "stop");
      await prisma.$transaction(async (tx) => {
        await tx.author.create({ data: { name: "Outer" } });
        await tx.$transaction(stop).catch(() => {});
        await tx.$transaction((inner) => inner.author.create({ data: { name: "Inner" } }));
        await tx.$transaction((inner) => inner.author.create({ data: { name: "Ada" } })).catch(() => {});
      });
      check("what stays", await names(), ["Ada", "Grace", "Edsger W.", "Barbara", "Tony", "One", "Outer", "Inner"]);
      const conflicting = (tx: PrismaClient) =>
        tx.author.count().then(async () => {
          await prisma.author.update({ where: { id: 1 }, data: { name: "Ada L." } });
          await tx.author.update({ where: { id: 1 }, data: { name: "Ada B." } });
        });
      check("write conflict", (await failure(() => prisma.$transaction(conflicting, { isolationLevel: "Serializable" }))).code, "P2034");
      check(
        "interactive time-out",
        (await failure(() => prisma.$transaction((tx) => tx.$queryRaw`select pg_sleep(2)::text`, { timeout: 500 }))).code,
        "P2028",
      );
      await particular("a call past its deadline", ["P2010", "SocketTimeout"], () =>
        codeOf(() => open(bench.open({ deadlineMs: 300 })).$executeRaw`select pg_sleep(60)`),
      );

      // round trips
      await particular("a query is one round trip", 1, () => bench.roundTrips("calls", () => prisma.author.findMany({ take: 1 })));
      await particular("rows that are asked for at a time are one round trip", 1, () =>
        bench.roundTrips("calls", () => Promise.all([1, 2, 3].map((id) => prisma.author.findUnique({ where: { id } })))),
      );
      await particular("a batch of three is four", 4, () =>
        bench.roundTrips("session", () => prisma.$transaction([prisma.author.count(), prisma.book.count(), prisma.review.count()])),
      );
      const everything = { query: { $allOperations: ({ args, query }: Operation) => query(args) } };
      const extended = atModuleScope(prisma.$extends(everything));
      check("a client with extensions", await extended.author.findUnique({ where: { id: 2 }, select: { name: true } }), { name: "Grace" });
      await prisma.$disconnect();
      await particular("$disconnect leaves the database open", [{ one: 1 }], () => bench.db.sql`select 1 as one`);
    },
  };
}

/** What one of many requests does: queries, a batch and a transaction. */
export async function requestOf(prisma: PrismaClient): Promise<unknown> {
  // at once, as the requests come in: several gather in one moment
  const everybody = await prisma.author.findUniqueOrThrow({ where: { id: 1 } });
  const { id: authorId, name } = await prisma.author.create({ data: { name: crypto.randomUUID() } });
  await prisma.book.createMany({ data: ["Notes", "Sketch"].map((title) => ({ title, authorId })) });
  await prismaGathers(prisma, { name: String(name), authorId, everybody });
  // nobody waits for it: the request is over before Prisma's timer
  prisma.author.findUnique({ where: { id: 1 } }).catch(() => {});
  return everybody;
}
