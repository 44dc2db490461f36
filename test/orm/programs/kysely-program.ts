import { type Dialect, type Generated, isAbortedTransactionError, Kysely, type Selectable, sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/postgres";
import { type Migration, Migrator } from "kysely/migration";
import type { Database } from "warmline";
import { type Bench, failureOf, type Orm } from "../orm.ts";

interface Author {
  id: Generated<number>;
  name: string;
}
interface Book {
  id: Generated<number>;
  author_id: number;
  title: string;
  price: string | null;
  sold: string | null;
  tags: string[] | null;
  grid: number[][] | null;
  data: unknown;
  mood: "sad" | "happy" | null;
  at: Date | null;
  local: Date | null;
  day: Date | null;
  clock: string | null;
  bytes: Uint8Array | null;
  score: number | null;
  uid: string | null;
}
export interface Tables {
  author: Author;
  book: Book;
  review: { id: Generated<number>; book_id: number; text: string };
}

const tables = `
  create type mood as enum ('sad', 'happy');
  create table author (id int generated always as identity primary key, name text not null unique);
  create table book (
    id int generated always as identity primary key, author_id int not null references author, title text not null, price numeric(10, 2),
    sold int8, tags text[], grid int[], data jsonb, mood mood, at timestamptz, local timestamp, day date, clock time, bytes bytea, score float8, uid uuid
  );
  create table review (id int generated always as identity primary key, book_id int not null references book, text text not null)`;

/** A statement's changes without their class, of which two packages may have one each. */
const plain = (result: object | undefined) => ({ ...result });

/** The code of what was thrown, wherever it stands. */
async function codeOf(work: () => Promise<unknown>): Promise<unknown> {
  const error = (await failureOf(work)) as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } };
  return error.code ?? error.cause?.code;
}

/**
 * What Kysely does, over a dialect: this package's, or its `own` for pg, which what is particular to this package is not asked of.
 */
export function kyselyProgram(dialect: (db: Database, bench: Bench) => Dialect, whose: "ours" | "own" = "ours"): Orm {
  return {
    tables,
    async run(bench) {
      const { check } = bench;
      const open = (db: Database) => new Kysely<Tables>({ dialect: dialect(db, bench) });
      const kysely = open(bench.db);
      const particular = async (title: string, expected: unknown, actual: () => Promise<unknown>) =>
        check(title, whose === "ours" ? await actual() : expected, expected);
      const authors = () => kysely.selectFrom("author").select("name").orderBy("name").execute();

      // create
      check("insert", plain(await kysely.insertInto("author").values({ name: "Ada" }).executeTakeFirst()), {
        insertId: undefined,
        numInsertedOrUpdatedRows: 1n,
      });
      check(
        "insert returning",
        await kysely
          .insertInto("author")
          .values([{ name: "Grace" }, { name: "Edsger" }])
          .returning(["id", "name"])
          .execute(),
        [
          { id: 2, name: "Grace" },
          { id: 3, name: "Edsger" },
        ],
      );
      const book: Omit<Selectable<Book>, "id"> = {
        author_id: 1,
        title: "Notes",
        price: "12.50",
        sold: "9007199254740993",
        tags: ["a", 'q"\\', "NULL", ""],
        grid: [
          [1, 2],
          [3, 4],
        ],
        data: { list: [1, { deep: null }], text: "ü" },
        mood: "happy",
        at: new Date("2026-03-04T05:06:07.089Z"),
        local: new Date(2026, 2, 4, 5, 6, 7, 89),
        day: new Date(2026, 2, 4),
        clock: "05:06:07.089",
        bytes: new Uint8Array([0, 255, 92, 39]),
        score: 0.1,
        uid: "7b0c6a3e-0d6e-4a8f-9d3b-0a5f6c1d2e3f",
      };
      const stored = await kysely
        .insertInto("book")
        .values({ ...book, bytes: globalThis.Buffer ? Buffer.from(book.bytes ?? []) : book.bytes })
        .returningAll()
        .executeTakeFirstOrThrow();
      for (const [name, value] of Object.entries(book)) check(`column ${name}`, stored[name as keyof Book], value);
      await kysely
        .insertInto("book")
        .values([
          { author_id: 1, title: "Engines", price: "7.25", mood: "sad" },
          { author_id: 2, title: "Compilers", price: "30", tags: [] },
        ])
        .execute();
      check("empty array and nulls", await kysely.selectFrom("book").select(["tags", "grid", "data", "at"]).where("id", "=", 3).execute(), [
        { tags: [], grid: null, data: null, at: null },
      ]);

      // read
      check("where", await kysely.selectFrom("author").selectAll().where("name", "=", "Grace").executeTakeFirst(), {
        id: 2,
        name: "Grace",
      });
      check("where in", (await kysely.selectFrom("author").select("id").where("name", "in", ["Ada", "Edsger"]).execute()).length, 2);
      check("where a bigint", await kysely.selectFrom("book").select("id").where("sold", "=", "9007199254740993").execute(), [{ id: 1 }]);
      check("where an enum", await kysely.selectFrom("book").select("title").where("mood", "=", "sad").execute(), [{ title: "Engines" }]);
      check(
        "where an array holds",
        await kysely
          .selectFrom("book")
          .select("id")
          .where(sql<boolean>`tags @> ${["a"]}`)
          .execute(),
        [{ id: 1 }],
      );
      check("within JSON", await kysely.selectFrom("book").select(sql<string>`data->>'text'`.as("text")).where("id", "=", 1).execute(), [
        { text: "ü" },
      ]);
      check("nothing", await kysely.selectFrom("author").selectAll().where("id", "=", 99).executeTakeFirst(), undefined);
      await kysely
        .insertInto("review")
        .values([
          { book_id: 1, text: "good" },
          { book_id: 1, text: "long" },
        ])
        .execute();
      check(
        "relations three deep",
        await kysely
          .selectFrom("author")
          .select((author) => [
            "name",
            jsonArrayFrom(
              author
                .selectFrom("book")
                .select((book) => [
                  "title",
                  jsonArrayFrom(book.selectFrom("review").select("text").whereRef("book_id", "=", "book.id").orderBy("review.id")).as(
                    "reviews",
                  ),
                ])
                .whereRef("author_id", "=", "author.id")
                .orderBy("book.id"),
            ).as("books"),
          ])
          .where("author.id", "=", 1)
          .execute(),
        [
          {
            name: "Ada",
            books: [
              { title: "Notes", reviews: [{ text: "good" }, { text: "long" }] },
              { title: "Engines", reviews: [] },
            ],
          },
        ],
      );
      check(
        "a relation the other way",
        await kysely
          .selectFrom("review")
          .select((review) => [
            "text",
            jsonObjectFrom(review.selectFrom("book").select("title").whereRef("book.id", "=", "review.book_id")).as("book"),
          ])
          .where("review.id", "=", 2)
          .execute(),
        [{ text: "long", book: { title: "Notes" } }],
      );
      check(
        "join",
        await kysely
          .selectFrom("book")
          .innerJoin("author", "author.id", "book.author_id")
          .select(["title", "author.name as by"])
          .where("book.id", "=", 3)
          .execute(),
        [{ title: "Compilers", by: "Grace" }],
      );
      check("page", await kysely.selectFrom("author").select("name").orderBy("name").limit(1).offset(1).execute(), [{ name: "Edsger" }]);
      check(
        "aggregates",
        await kysely
          .selectFrom("book")
          .select(({ fn }) => [
            fn.countAll<string>().as("all"),
            fn.sum<string>("price").as("sum"),
            fn.max("price").as("max"),
            fn.avg<string>("score").as("mean"),
          ])
          .execute(),
        [{ all: "3", sum: "49.75", max: "30.00", mean: 0.1 }],
      );
      check(
        "grouped",
        await kysely
          .selectFrom("book")
          .select(({ fn }) => ["author_id", fn.countAll<string>().as("books")])
          .groupBy("author_id")
          .having(({ fn }) => fn.countAll(), ">", 1)
          .execute(),
        [{ author_id: 1, books: "2" }],
      );
      check(
        "with",
        await kysely
          .with("cheap", (on) => on.selectFrom("book").select("title").where("price", "<", "10"))
          .selectFrom("cheap")
          .selectAll()
          .execute(),
        [{ title: "Engines" }],
      );
      check("raw", (await sql<{ sum: number }>`select ${1}::int + ${2}::int as sum`.execute(kysely)).rows, [{ sum: 3 }]);

      // update, upsert, delete
      check("update", plain(await kysely.updateTable("book").set({ price: "8" }).where("author_id", "=", 1).executeTakeFirst()), {
        numUpdatedRows: 2n,
        numChangedRows: undefined,
      });
      const upsert = kysely
        .insertInto("author")
        .values({ name: "Ada" })
        .onConflict((on) => on.column("name").doUpdateSet({ name: "Ada L." }))
        .returning("name");
      check("upsert", await upsert.execute(), [{ name: "Ada L." }]);
      check(
        "insert of nothing",
        plain(
          await kysely
            .insertInto("author")
            .values({ name: "Grace" })
            .onConflict((on) => on.doNothing())
            .executeTakeFirst(),
        ),
        { insertId: undefined, numInsertedOrUpdatedRows: 0n },
      );
      check("delete", plain(await kysely.deleteFrom("review").where("text", "=", "long").executeTakeFirst()), { numDeletedRows: 1n });
      check("delete returning", await kysely.deleteFrom("review").returning("text").execute(), [{ text: "good" }]);
      check("conflict", await codeOf(() => kysely.insertInto("author").values({ name: "Grace" }).execute()), "23505");
      check("no such table", await codeOf(() => sql`select * from nowhere`.execute(kysely)), "42P01");

      // transactions
      await kysely.transaction().execute((trx) => trx.insertInto("author").values({ name: "Kept" }).execute());
      const undone = () =>
        kysely.transaction().execute(async (trx) => {
          await trx.insertInto("author").values({ name: "Undone" }).execute();
          throw new Error("stop");
        });
      check("an error rolls back", ((await failureOf(undone)) as Error).message, "stop");
      check("what stays", await authors(), [{ name: "Ada L." }, { name: "Edsger" }, { name: "Grace" }, { name: "Kept" }]);
      const mode = await kysely
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute((trx) =>
          sql<object>`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as only`.execute(
            trx,
          ),
        );
      check("isolation and access mode", mode.rows, [{ level: "repeatable read", only: "on" }]);
      const trx = await kysely.startTransaction().execute();
      await trx.insertInto("author").values({ name: "Outer" }).execute();
      const inner = await trx.savepoint("one").execute();
      await inner.insertInto("author").values({ name: "Inner" }).execute();
      check("conflict within a savepoint", await codeOf(() => inner.insertInto("author").values({ name: "Inner" }).execute()), "23505");
      const back = await inner.rollbackToSavepoint("one").execute();
      const two = await back.savepoint("two").execute();
      await two.insertInto("author").values({ name: "Two" }).execute();
      await two.releaseSavepoint("two").execute();
      await trx.commit().execute();
      check(
        "savepoints",
        (await authors()).map(({ name }) => name).filter((name) => ["Outer", "Inner", "Two"].includes(name)),
        ["Outer", "Two"],
      );
      const aborted = await failureOf(() =>
        kysely.transaction().execute(async (trx) => {
          await sql`select 1 / 0`.execute(trx).catch(() => {});
        }),
      );
      check("commit answered with ROLLBACK", isAbortedTransactionError(aborted), true);
      check(
        "one and the same connection",
        await kysely.connection().execute(async (one) => {
          const ask = async () => (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(one)).rows[0]?.pid;
          const first = await ask();
          return first === (await ask());
        }),
        true,
      );

      // streams, several statements, migrations
      let streamed = 0;
      const numbers = kysely.selectFrom(sql<{ n: number }>`generate_series(1, 250)`.as("n")).select("n");
      for await (const { n } of numbers.stream(100)) streamed += n;
      check("stream", streamed, 31_375);
      await sql.raw("create table several (id int); insert into several values (1); insert into several values (2)").execute(kysely);
      check("several statements in a text", (await sql`select id from several order by id`.execute(kysely)).rows, [{ id: 1 }, { id: 2 }]);
      const migrations: Record<string, Migration> = {
        first: { up: (on) => on.schema.createTable("migrated").addColumn("id", "integer").execute() },
        second: { up: (on) => on.schema.alterTable("migrated").addColumn("word", "text").execute() },
      };
      // in a transaction, for a pooler keeps no lock beyond one
      const { error, results } = await kysely
        .transaction()
        .execute((on) => new Migrator({ db: on, provider: { getMigrations: async () => migrations } }).migrateToLatest());
      check("migrations", [error, results?.map(({ status }) => status)], [undefined, ["Success", "Success"]]);
      const introspected = (await kysely.introspection.getTables()).find(({ name }) => name === "migrated");
      check(
        "introspection",
        introspected?.columns.map(({ name, dataType }) => [name, dataType]),
        [
          ["id", "int4"],
          ["word", "text"],
        ],
      );

      // time and signals
      const slow = sql`select pg_sleep(60)`;
      await particular("a call past its deadline", "DEADLINE_EXCEEDED", () =>
        codeOf(() => slow.execute(open(bench.open({ deadlineMs: 300 })))),
      );
      const aborting = async (on: Kysely<Tables>) => {
        const controller = new AbortController();
        const slept = slow.execute(on, { signal: controller.signal, inflightQueryAbortStrategy: "cancel query" });
        setTimeout(() => controller.abort(new Error("enough")), 300);
        return slept;
      };
      check("abort", ((await failureOf(() => aborting(kysely))) as Error).message, "enough");
      // over Kysely's own driver the rollback waits behind the statement that was to be cancelled
      await particular(
        "abort within a transaction",
        "enough",
        async () => ((await failureOf(() => kysely.transaction().execute(aborting))) as Error).message,
      );
      check("what comes after it", (await sql`select 1 as one`.execute(kysely)).rows, [{ one: 1 }]);

      // round trips
      const ten = kysely.selectFrom("author").select("name").limit(10);
      await particular("a query is one round trip", 1, () => bench.roundTrips("calls", () => ten.execute()));
      await particular("a transaction of three is four", 4, () =>
        bench.roundTrips("session", () =>
          kysely.transaction().execute(async (trx) => {
            for (let sent = 0; sent < 3; sent++) await trx.selectFrom("author").select("name").execute();
          }),
        ),
      );
      await kysely.destroy();
      await particular("destroy leaves the database open", [{ one: 1 }], () => bench.db.sql`select 1 as one`);
    },
  };
}

/** What one of many requests does: a query, and a transaction whose savepoint is undone. */
export function requestOf(kysely: Kysely<Tables>): () => Promise<unknown> {
  return async () => {
    const first = await kysely.selectFrom("author").select("name").where("id", "=", 1).executeTakeFirst();
    const trx = await kysely.startTransaction().execute();
    const inner = await trx.savepoint("inner").execute();
    await inner.updateTable("author").set({ name: "Nobody" }).where("id", "=", 0).execute();
    await inner.rollbackToSavepoint("inner").execute();
    const all = await trx.selectFrom("author").select("id").execute();
    await trx.commit().execute();
    return [first?.name, all.length];
  };
}
