import { Hono } from "hono/tiny";
import { createDatabase, type DatabaseEvent } from "warmline";
import { dashboard } from "warmline/dashboard";
import { requestScope } from "warmline/hono";
import { hyperdrive } from "warmline/hyperdrive";

/** At module scope, as one writes it without knowing better: each request has to find it usable. */
const db = createDatabase({ tcp: hyperdrive(), acquireTimeoutMs: 300 });

/** Another, to be given up. */
const given = createDatabase({ tcp: hyperdrive() });

/** And one that is listened to, by the first request that asks for it. */
const watched = createDatabase({ tcp: hyperdrive() });
let told: DatabaseEvent[] | undefined;

interface Ctx {
  waitUntil(promise: Promise<unknown>): void;
}

const app = new Hono<{ Bindings: object }>()
  .onError((error, c) => c.json({ code: "code" in error ? error.code : error.message }, 500, { said: encodeURIComponent(error.message) }))
  .route("/shown", dashboard(db, { token: "a-token-of-20-letters" }))
  .route("/hidden", dashboard(db))
  .get("/unscoped", async (c) => c.json((await db.query("select pg_backend_pid() as pid")).rows))
  .use(requestScope(db))
  .get("/one", async (c) => {
    const first = await db.query("select pg_backend_pid() as pid");
    const [second] = await Promise.all([db.query("select pg_backend_pid() as pid"), db.query("select 1")]);
    const { transport } = first.via;
    return c.json({ transport, same: first.rows[0]?.pid === second.rows[0]?.pid, reused: second.via.reused });
  })
  .get("/many", async (c) => {
    const before = db.stats();
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => db.query("select $1::int as n, pg_backend_pid() as pid", [n])));
    const { connects, pipelined } = db.stats();
    return c.json({
      right: all.every(({ rows }, n) => rows[0]?.n === n),
      pids: new Set(all.map(({ rows }) => rows[0]?.pid)).size,
      connects: connects - before.connects,
      pipelined: pipelined - before.pipelined,
    });
  })
  .get("/transaction", async (c) =>
    c.json(await db.transaction(async (tx) => (await tx.sql<{ n: number }>`insert into marks values ('kept') returning 1 as n`)[0])),
  )
  .get("/throws", async () => {
    await db.transaction(async (tx) => {
      await tx.sql`insert into marks values ('lost')`;
      throw new Error("the handler threw");
    });
  })
  .get("/forgets", async (c) => {
    // a session that is left with its transaction open, and a statement nobody awaits
    await db.session(async (session) => {
      await session.sql`begin`;
      await session.sql`insert into marks values ('lost')`;
    });
    db.query("select pg_sleep(0.2)").catch(() => {});
    return c.text("done");
  })
  .get("/timeout", async () => {
    await db.query("select pg_sleep(600)", [], { deadlineMs: 200 });
  })
  .get("/sleep", async (c) => {
    await db.query("select pg_advisory_xact_lock(15)");
    await db.query("insert into marks values ('after the client left')");
    return c.text("done");
  })
  .get("/seven", async (c) => {
    const all = Array.from({ length: 7 }, () => db.session((session) => session.sql`select pg_sleep(1.5)`));
    const codes = (await Promise.allSettled(all)).map((one) => (one.status === "fulfilled" ? "done" : one.reason.code));
    return c.json({ codes, sockets: db.stats().connects });
  })
  .get("/held", async (c) => {
    await given.query("select pg_advisory_xact_lock(15)");
    return c.text("done");
  })
  .get("/close", async (c) => {
    // with a connection of this request, which ends now
    const connected = given.query("select 1").catch(() => {});
    await connected;
    await given.close();
    return c.text("done");
  })
  .get("/release", async (c) => {
    await given.query("select 1");
    await given.release();
    return c.json(given.stats().total);
  })
  .get("/closes", async (c) => {
    const own = createDatabase({ tcp: hyperdrive() });
    await db.query("select 1");
    await own.query("select 1");
    const running = own.query("select 'answered' as word, pg_sleep(0.2)");
    await own.close();
    const held = own.stats().total;
    const { rows } = await running;
    await Promise.resolve();
    return c.json({ held, answer: rows[0]?.word, total: own.stats().total, other: db.stats().total });
  })
  .get("/bypass", async (c) => {
    const { rows } = await db.query("select 1 as n", [], { cache: "bypass" });
    return c.json(rows);
  })
  .get("/told", async (c) => {
    if (told === undefined) {
      const events: DatabaseEvent[] = [];
      told = events;
      watched.subscribe((event) => void (event.type !== "query" && events.push(event)));
    }
    const { via } = await watched.query("select 1");
    await watched.query("select 2");
    return c.json({ own: via.connectionId, told: told.splice(0), stats: watched.stats() });
  })
  .get("/rows", (c) => {
    const rows = db.stream("select n, repeat('x', 1000) as word from generate_series(1, $1::int) n", [c.req.query("count")], {
      deadlineMs: 120_000,
    });
    return c.body(rows.toReadable(), 200, { "Content-Type": "application/x-ndjson" });
  })
  .get("/plan", (c) => c.json(db.plan));

export default {
  fetch: (request: Request, env: object, ctx: Ctx) => app.fetch(request, env, ctx as Parameters<typeof app.fetch>[2]),
};
