import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import { Hono } from "hono/tiny";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import QueryStream from "pg-query-stream";
import { requestScope } from "warmline/hono";
import { hyperdrive } from "warmline/hyperdrive";
import { sharedPool, WarmPool } from "warmline/pool";

interface Ctx {
  waitUntil(promise: Promise<unknown>): void;
}

/** At module scope, as one writes it for a server: each request has to find it usable, and nothing is read here. */
const pool = sharedPool({ tcp: hyperdrive() });
const told: string[] = [];
pool.on("connect", (client) => void client.query("set application_name = 'warmline'"));
for (const event of ["connect", "acquire", "release", "remove", "error"] as const) pool.on(event, () => void told.push(event));

const marks = pgTable("marks", { id: integer().primaryKey().generatedAlwaysAsIdentity(), mark: text().notNull() });
const db = drizzle(pool, { schema: { marks } });
const kysely = new Kysely<{ marks: { id: number; mark: string } }>({ dialect: new PostgresDialect({ pool }) });

/** What a request leaves for the next, as one should not. */
let kept: pg.PoolClient | undefined;

const pid = async (on: Pick<pg.Pool, "query">) => (await on.query("select pg_backend_pid() as pid")).rows[0].pid as number;

const told500 = (error: Error & { code?: unknown; fate?: unknown }) => ({
  name: error.name,
  code: error.code,
  fate: error.fate,
  message: error.message,
});

const app = new Hono<{ Bindings: object }>()
  .onError((error, c) => c.json(told500(error), 500))
  .get("/unscoped", async (c) => c.json([await pid(pool), await pid(pool)]))
  .get("/unscoped-client", async (c) => {
    const client = await pool.connect();
    const pids = [await pid(client as never), await pid(client as never)];
    client.release();
    return c.json(pids);
  })
  .get("/keep-unscoped", async (c) => {
    kept = await pool.connect();
    await kept.query("select 1");
    return c.json("kept");
  })
  .use(requestScope(pool))
  .get("/is", (c) => c.json({ isPool: pool instanceof pg.Pool, counts: [pool.totalCount, pool.idleCount, pool.waitingCount] }))
  .get("/forms", async (c) => {
    const called = await new Promise((resolve, reject) => {
      pool.query("select $1::int as n", [1], (error, result) => (error ? reject(error) : resolve(result.rows)));
    });
    const config = await pool.query({ text: "select $1::int as n", values: [2], rowMode: "array" });
    const named = await pool.query({ name: "three", text: "select $1::int as n", values: [3] });
    const several = (await pool.query("select 4 as n; select 5 as n")) as unknown as pg.QueryResult[];
    const bytes = await pool.query("select $1::bytea as n", [Buffer.from([6])]);
    const streamed: unknown[] = [];
    const client = await pool.connect();
    for await (const row of client.query(new QueryStream("select generate_series(1, 250) as n", [], { batchSize: 100 })))
      streamed.push(row);
    client.release();
    return c.json({
      called,
      config: config.rows,
      result: config instanceof pg.Result,
      named: named.rows,
      several: several.map(({ rows }) => rows),
      bytes: [...bytes.rows[0].n],
      streamed: streamed.length,
      counts: [pool.totalCount, pool.idleCount, pool.waitingCount],
    });
  })
  .get("/one", async (c) => {
    const client = await pool.connect();
    const first = await pid(client as never);
    client.release();
    return c.json(first === (await pid(pool)) && first === (await pid(pool)));
  })
  .get("/events", async (c) => {
    told.length = 0;
    const client = await pool.connect();
    client.release();
    await pool.query("select 1");
    return c.json(told);
  })
  .get("/events-after", (c) => c.json(told))
  .get("/refused", () => pool.query("select 1 / 0") as never)
  .get("/keep", async (c) => {
    kept = await pool.connect();
    await kept.query("select 1");
    kept.release();
    return c.json("kept");
  })
  .get("/keep-held", async (c) => {
    kept = await pool.connect();
    await kept.query("select 1");
    return c.json("kept");
  })
  .get("/use", async (c) => c.json((await kept?.query("select 1 as one"))?.rows))
  .get("/use-release", async (c) => {
    kept?.release();
    return c.json(null);
  })
  .get("/use-cursor", async (c) => {
    const rows: unknown[] = [];
    for await (const row of kept?.query(new QueryStream("select 1 as one")) ?? []) rows.push(row);
    return c.json(rows);
  })
  .get("/drizzle", async (c) => {
    const [made] = await db.insert(marks).values({ mark: "drizzle" }).returning();
    const found = await db.query.marks.findFirst({ where: (table, { eq }) => eq(table.id, made?.id ?? 0) });
    const inside = await db.transaction(async (tx) => {
      await tx.insert(marks).values({ mark: "inside" });
      await tx.transaction((nested) => nested.execute(sql`select 1 / 0`)).catch(() => {});
      return (await tx.execute(sql`select pg_backend_pid() as pid`)).rows[0]?.pid;
    });
    return c.json({ found: found?.mark, same: inside === (await pid(pool)) });
  })
  .get("/kysely", async (c) => {
    const made = await kysely
      .insertInto("marks")
      .values({ mark: "kysely" } as never)
      .returning("id")
      .executeTakeFirstOrThrow();
    const found = await kysely.selectFrom("marks").selectAll().where("id", "=", made.id).executeTakeFirst();
    const undone = kysely.transaction().execute(async (tx) => {
      await tx.deleteFrom("marks").where("id", "=", made.id).execute();
      throw new Error("stop");
    });
    const message = await undone.catch((error: Error) => error.message);
    const { n } = await kysely
      .selectFrom("marks")
      .select(({ fn }) => fn.countAll<string>().as("n"))
      .where("id", "=", made.id)
      .executeTakeFirstOrThrow();
    return c.json({ found: found?.mark, message, n });
  })
  .get("/ended", async (c) => {
    const own = sharedPool();
    await own.query("select 1");
    await own.end();
    await pool.query("select 1");
    return c.json(await own.query("select 1"));
  })
  .get("/after", (c) => {
    // in a response that streams, when the handler has answered long since
    const stream = new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        controller.enqueue(new TextEncoder().encode(JSON.stringify((await pool.query("select 'later' as word")).rows)));
        controller.close();
      },
    });
    return c.body(stream);
  })
  .get("/own", () => new WarmPool() as never)
  .get("/none", () => sharedPool({ tcp: hyperdrive(), env: {} }).query("select 1") as never);

export default {
  fetch: (request: Request, env: object, ctx: Ctx) => app.fetch(request, env, ctx as Parameters<typeof app.fetch>[2]),
};
