// Compiled, never run, under both majors of drizzle-orm: what the types of `warmline/drizzle` promise.
import { eq, sql } from "drizzle-orm";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { migrate } from "drizzle-orm/pg-proxy/migrator";
import { createDatabase, type Database, type DatabaseView, type Result } from "warmline";
import { type DrizzleDatabase, type DrizzleTransaction, drizzle, type Executed } from "warmline/drizzle";
import { type Equal, expectTrue, type IsAny } from "./assertions.ts";

const users = pgTable("users", { id: integer("id").primaryKey(), name: text("name").notNull() });
interface User {
  id: number;
  name: string;
}

const orm = drizzle(createDatabase(), { logger: true });

export async function theMigratorTakesIt(): Promise<void> {
  const db = createDatabase();
  await migrate(drizzle(db), (statements) => db.script(statements.join(";\n")), { migrationsFolder: "drizzle" });
}

export async function queriesAreTyped(): Promise<void> {
  expectTrue<Equal<typeof orm.$client, Database>>();
  const own = drizzle(createDatabase().with({ role: "app_user" }));
  expectTrue<Equal<typeof own.$client, DatabaseView>>();
  const all = await orm.select().from(users);
  expectTrue<Equal<typeof all, User[]>>();
  const names = await orm.insert(users).values({ id: 1, name: "Ada" }).returning({ name: users.name });
  expectTrue<Equal<typeof names, { name: string }[]>>();
  const { rowCount } = await orm.update(users).set({ name: "Ada" }).where(eq(users.id, 1));
  expectTrue<Equal<typeof rowCount, number | null>>();
  const executed = await orm.execute<{ n: number }>(sql`select 1 as n`);
  expectTrue<Equal<typeof executed, Executed<{ n: number }>>>();
  expectTrue<Equal<typeof executed.rows, { n: number }[]>>();
  expectTrue<Equal<typeof executed.command, Result["command"]>>();
  expectTrue<Equal<(typeof executed)[number], { n: number }>>();
  const n = await orm.$count(users);
  expectTrue<Equal<typeof n, number>>();
  // @ts-expect-error no such column
  all[0]?.email;
  // @ts-expect-error a name is a text
  orm.insert(users).values({ id: 1, name: 2 });
}

export async function batchesAreTupled(): Promise<void> {
  const [all, changed, executed] = await orm.batch([
    orm.select().from(users),
    orm.delete(users),
    orm.execute<{ n: number }>(sql`select 1 as n`),
  ]);
  expectTrue<Equal<typeof all, User[]>>();
  expectTrue<Equal<typeof changed.rowCount, number | null>>();
  expectTrue<Equal<(typeof executed)[number], { n: number }>>();
  await orm.batch([orm.select().from(users)], { isolation: "serializable", deadlineMs: 100 });
  // @ts-expect-error a batch has queries in it
  await orm.batch([]);
  // @ts-expect-error Drizzle says how rows are read
  await orm.batch([orm.select().from(users)], { rowMode: "array" });
}

export async function transactionsAreTyped(): Promise<void> {
  const total = await orm.transaction(
    async (tx) => {
      expectTrue<Equal<typeof tx, DrizzleTransaction>>();
      const [user] = await tx.select().from(users);
      expectTrue<Equal<typeof user, User | undefined>>();
      const inner = await tx.transaction(async (savepoint) => (await savepoint.select().from(users)).length);
      await tx.setTransaction({ accessMode: "read only" });
      return inner;
    },
    { isolationLevel: "serializable", accessMode: "read only", deferrable: true, retries: 2, signal: AbortSignal.timeout(1) },
  );
  expectTrue<Equal<typeof total, number>>();
  // @ts-expect-error no such level
  await orm.transaction(async () => 1, { isolationLevel: "snapshot" });
  await orm.transaction(async (tx) => {
    // @ts-expect-error a batch is a transaction of its own
    tx.batch([]);
  });
}

/** `any` would silence everything above. */
export function nothingIsAny(): void {
  expectTrue<Equal<IsAny<DrizzleDatabase>, false>>();
  expectTrue<Equal<IsAny<DrizzleTransaction>, false>>();
  expectTrue<Equal<IsAny<Executed<User>>, false>>();
}
