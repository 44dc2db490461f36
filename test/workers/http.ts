import { createDatabase, type DatabaseOptions, isWarmlineError, sql } from "warmline";

/** At module scope, as it is written in the documentation. */
const db = createDatabase();
const given = createDatabase();

type Route = (query: URLSearchParams) => unknown;

const routes: Readonly<Record<string, Route>> = {
  plan: () => db.plan,
  query: async () => (await db.query("select pg_backend_pid() as pid, $1::int as n", [7])).via,
  batch: async () => (await db.batch([sql`select 1`, sql`select 2`, sql`select 3`])).length,
  async transaction() {
    await db.transaction(async (tx) => {
      await tx.sql`insert into marks values ('kept')`;
    });
  },
  async throws() {
    await db.transaction(async (tx) => {
      await tx.sql`insert into marks values ('lost')`;
      throw new Error("the handler threw");
    });
  },
  async forgets() {
    await db.session(async (session) => {
      await session.sql`begin`;
      await session.sql`insert into marks values ('lost')`;
    });
    db.query("select pg_sleep(0.2)").catch(() => {});
  },
  async fails() {
    await db.query("select 1 / 0");
  },
  async timeout(query) {
    await db.query("select pg_sleep($1)", [query.get("seconds")], { deadlineMs: 200 });
  },
  rows(query) {
    const rows = db.stream("select n, repeat('x', 1000) as word from generate_series(1, $1::int) n", [query.get("count")], {
      deadlineMs: 120_000,
    });
    return new Response(rows.toReadable(), { headers: { "Content-Type": "application/x-ndjson" } });
  },
  sleep: () => db.query("select pg_advisory_xact_lock(15)"),
  held: () => given.query("select pg_advisory_xact_lock(15)"),
  close: () => given.close(),
  release: () => given.release(),
  async elsewhere(query) {
    const own = Object.fromEntries(query) as DatabaseOptions;
    // an answer without an end has to reach the limit before the deadline, also where the machine is busy
    await createDatabase({ ...own, deadlineMs: 1_000, maxResponseBytes: 1_048_576 }).query("select 1");
  },
};

/** A worker over HTTP that does what its path says, and tells what came of it. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      const answer = await routes[pathname.slice(1)]?.(searchParams);
      return answer instanceof Response ? answer : Response.json(answer ?? null);
    } catch (error) {
      const { name, message, code, fate } = error as Error & { readonly code?: string; readonly fate?: string };
      return Response.json({ name, message, code, fate, own: isWarmlineError(error) }, { status: 500 });
    }
  },
};
