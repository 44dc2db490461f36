import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pgTable, text } from "drizzle-orm/pg-core";
import { drizzle } from "drizzle-orm/pg-proxy";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { type Database, type DatabaseView, isWarmlineError, type LocalSettings, type Row, sql } from "../../src/entry/node.ts";
import { openDirect, openPool, urlAt } from "../core/databases.ts";
import { openRequest } from "../core/request/open-request.ts";
import { runRequest } from "../faults/subjects/request-database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { createRandom, type Random } from "../support/random.ts";

const TENANTS = 20;
const NOTES_EACH = 3;
/** Ten thousand; over HTTP a transaction costs a WebSocket and a login. */
const requests = { pool: 3_500, request: 2_500, http: 1_000, pgbouncer: 3_000 };
type Way = keyof typeof requests;
const CALLERS = 16;
/** The login has no rights of its own: nothing is to be had without a view. */
const user = "tenants_login";
const password = randomUUID();

const schema = `
  set scram_iterations = 1;
  create role ${user} login noinherit password '${password}';
  create role tenants_app; create role tenants_authenticated;
  grant tenants_app, tenants_authenticated to ${user};
  create schema tenants; grant usage on schema tenants to tenants_app, tenants_authenticated;
  create function tenants.uid() returns text language sql stable as
    $$ select coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
      nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub') $$;
  create table tenants.notes (id int generated always as identity, tenant text not null, body text);
  alter table tenants.notes enable row level security; alter table tenants.notes force row level security;
  create policy own on tenants.notes to tenants_app
    using (tenant = nullif(current_setting('app.tenant', true), '')) with check (tenant = nullif(current_setting('app.tenant', true), ''));
  create policy claimed on tenants.notes to tenants_authenticated using (tenant = (select tenants.uid())) with check (tenant = (select tenants.uid()));
  grant select, insert, delete on tenants.notes to tenants_app, tenants_authenticated;
  insert into tenants.notes (tenant, body)
    select 'tenant ' || n, 'kept' from generate_series(0, ${TENANTS - 1}) n, generate_series(1, ${NOTES_EACH})`;

let endpoint: Endpoint;
let bouncer: PgBouncer | undefined;

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query(schema);
  const { host, port } = inject("postgres");
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  if (findPgBouncer() !== undefined) bouncer = await startPgBouncer({ host, port, user, password }, { server_login_retry: "0" });
});
afterAll(async () => {
  await bouncer?.stop();
  await endpoint.stop();
  await using direct = await openDirect();
  await direct.query(`drop schema tenants cascade; drop owned by ${user}; drop role ${user}, tenants_app, tenants_authenticated`);
});

/** The test database, as the login without rights. */
function loginUrl(place?: { readonly port: number }): string {
  const url = new URL(urlAt(place));
  Object.assign(url, { username: user, password });
  return url.href;
}

/** How a tenant's requests are told apart: by a setting of one's own, or by the claims of a token, as Supabase and Neon hand them on. */
const identities: readonly ((tenant: string) => LocalSettings)[] = [
  (tenant) => ({ settings: { "app.tenant": tenant }, role: "tenants_app" }),
  (sub) => ({ settings: { "request.jwt.claims": { sub, role: "authenticated" } }, role: "tenants_authenticated" }),
];

/** What one request works with. */
interface Request {
  readonly db: Database;
  readonly view: DatabaseView;
  readonly tenant: string;
  readonly other: string;
  readonly random: Random;
}

/** Gives the rows that were seen. */
type Deed = (request: Request) => Promise<readonly Row[]>;

const notes = sql<{ tenant: string; body: string }>`select tenant, body from tenants.notes`;
const slowNotes = sql`select tenant, body, pg_sleep(0.002) from tenants.notes`;
const add = (tenant: string, body = "passing") => sql`insert into tenants.notes (tenant, body) values (${tenant}, ${body})`;
const rowsOf = async (result: Promise<{ readonly rows: readonly Row[] }>) => (await result).rows;

async function readAll<R>(rows: AsyncIterable<R>): Promise<R[]> {
  const all: R[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** What gives a tenant its own notes. */
const fair: readonly Deed[] = [
  ({ view }) => view.sql`${notes}`,
  ({ view }) => view.sql`${notes}`,
  ({ view }) => rowsOf(view.query(notes, { readOnly: true })),
  async ({ view }) => (await view.batch([sql`select 1`, notes]))[1].rows,
  ({ view }) => view.with({ settings: { TimeZone: "Asia/Kathmandu", search_path: "tenants" } }).sql`select tenant, body from notes`,
  ({ view }) => view.transaction((tx) => tx.sql`${notes}`),
  ({ view }) => readAll(view.stream(notes, { batchSize: 2 })),
  async ({ view, tenant }) => (await view.batch([add(tenant), notes, sql`delete from tenants.notes where body = 'passing'`]))[1].rows,
  ({ view, tenant }) =>
    view.transaction(async (tx) => {
      const undone = tx.transaction(async (inner) => {
        await inner.sql`${add(tenant)}`;
        await inner.sql`select 1/0`;
      });
      await undone.catch(() => {});
      return tx.sql`${notes}`;
    }),
];

/** What gives nobody anything. */
const vain: readonly Deed[] = [
  // in another's name
  ({ view, other }) => rowsOf(view.query(add(other, "forged"))),
  ({ view, tenant, other }) => view.batch([add(tenant), add(other, "forged")]).then(() => []),
  ({ view, other }) => view.sql`${notes} where tenant = ${other}`,
  // without a view, or with half of one, over a connection that a view may have had
  ({ db }) => db.sql`${notes}`,
  ({ db }) => db.sql`select 'left behind' as tenant where current_user <> session_user
    or current_setting('TimeZone') = 'Asia/Kathmandu' or current_setting('search_path') = 'tenants' or current_setting('statement_timeout') = '1ms'
    or nullif(current_setting('app.tenant', true), '') is not null or nullif(current_setting('request.jwt.claims', true), '') is not null`,
  ({ db }) => db.with({ role: "tenants_app" }).sql`${notes}`,
  ({ db, other }) => db.with({ settings: { "app.tenant": other, "request.jwt.claims": { sub: other } } }).sql`${notes}`,
  ({ db }) => db.with({ settings: { "app.tenant": "" }, role: "tenants_app" }).sql`${notes}`,
  // by text that would let it out
  async ({ view }) => (await view.batch([sql`reset role`, notes]))[1].rows,
  ({ view, other }) =>
    view.transaction(async (tx) => {
      await tx.sql`select set_config('app.tenant', ${other}, true)`;
      return tx.sql`${notes}`;
    }),
  // what fails
  ({ view }) => view.sql`select tenant, 1/0 from tenants.notes`,
  ({ view }) => view.transaction((tx) => tx.sql`select 1/0`.catch(() => tx.sql`${notes}`)),
  ({ view }) => view.with({ role: "nobody_of_this_name" }).sql`${notes}`,
  ({ view }) => view.with({ settings: { statement_timeout: 1 } }).sql`select tenant, pg_sleep(1) from tenants.notes`,
  ({ view }) => view.transaction((tx) => tx.sql`${notes}`.then(() => Promise.reject(new Error("own")))),
  async ({ view }) => {
    for await (const _ of view.stream(notes, { batchSize: 1 })) throw new Error("own");
    return [];
  },
];

/** What is given up, before it is sent, on its way or while it runs; or is done before. */
const hasty: readonly Deed[] = [
  ({ view, random }) => rowsOf(view.query(slowNotes, { deadlineMs: random.between(1, 12) })),
  async ({ view, random }) => (await view.batch([notes, slowNotes], { signal: AbortSignal.timeout(random.between(1, 12)) }))[0].rows,
  ({ view, random }) => view.transaction((tx) => tx.sql`${slowNotes}`.then(() => tx.sql`${notes}`), { deadlineMs: random.between(1, 12) }),
];

/** Requests that sixteen callers make at once, while somebody ends their connections now and then. */
async function mix(way: Way, db: Database, around = <T>(work: () => Promise<T>) => work()): Promise<void> {
  const random = createRandom(requests[way]);
  const seen = { own: 0, foreign: 0, missing: 0, failed: 0 };
  let left = requests[way];
  await using direct = await openDirect();
  const request = async () => {
    const number = random.between(0, TENANTS - 1);
    const tenant = `tenant ${number}`;
    const other = `tenant ${(number + 1) % TENANTS}`;
    const deeds = random.once(12) ? hasty : random.once(3) ? vain : fair;
    const view = db.with(random.pick(identities)(tenant));
    const rows = await random.pick(deeds)({ db, view, tenant, other, random });
    seen.foreign += rows.filter((row) => row.tenant !== tenant).length;
    if (deeds === vain) seen.foreign += rows.length;
    else if (rows.filter(({ body }) => body === "kept").length === NOTES_EACH) seen.own++;
    else seen.missing++;
  };
  const deed = async () => {
    if (random.once(250)) {
      await direct.query(
        "select pg_terminate_backend(pid) from (select pid from pg_stat_activity where usename = $1 order by random() limit 1) one",
        [user],
      );
    }
    await request().catch((error) => {
      if (!isWarmlineError(error) && error?.message !== "own") throw error;
      seen.failed++;
    });
  };
  const several = async () => {
    for (let done = 0; done < 25 && left-- > 0; done++) await deed();
  };
  const caller = async () => {
    while (left > 0) await around(several);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const { rows: forged } = await direct.query("select from tenants.notes where body <> 'kept'");
  expect({ ...seen, forged: forged.length }).toMatchObject({ foreign: 0, missing: 0, forged: 0 });
  expect(seen.own).toBeGreaterThan(requests[way] * 0.5);
  expect(seen.failed).toBeGreaterThan(requests[way] * 0.2);
}

describe("twenty tenants, mixed at random, see nothing of one another", () => {
  test("over the pool", async () => {
    await using db = openPool({ url: loginUrl(), max: 4 });
    await mix("pool", db);
  });

  test("over connections of a request", async () => {
    await using db = openRequest({ url: loginUrl() });
    await mix("request", db, (work) => runRequest(db, work));
  });

  test("over HTTP and WebSockets", async () => {
    await using db = openPool({ url: loginUrl(), transport: "http", endpoint: endpoint.url });
    await mix("http", db);
  });

  test.runIf(findPgBouncer() !== undefined)("through PgBouncer", async () => {
    await using db = openPool({ url: loginUrl(bouncer), target: "pgbouncer", max: 8 });
    await mix("pgbouncer", db);
  });
});

describe("the recipes of the documentation", () => {
  const database = "tenants_recipes";
  const roles = ["app_login", "app_user", "authenticator", "anon", "authenticated"];

  beforeAll(async () => {
    const page = await readFile(new URL("../../docs/row-level-security.md", import.meta.url), "utf8");
    const recipes = [...page.matchAll(/^```sql\n(.*?)^```/gms)].map(([, text = ""]) => text.replaceAll("'…'", `'${password}'`));
    expect(recipes).toHaveLength(3);
    await using direct = await openDirect();
    await direct.query(`create database ${database}`);
    await using there = await openDirect(at(database));
    for (const recipe of recipes) await there.query(recipe);
  });
  afterAll(async () => {
    await using direct = await openDirect();
    await direct.query(`drop database ${database} with (force)`);
    await direct.query(`drop role ${roles.join(", ")}`);
  });

  function at(name: string, login?: string): string {
    const url = new URL(urlAt());
    url.pathname = name;
    if (login !== undefined) Object.assign(url, { username: login, password });
    return url.href;
  }

  test("keep tenants apart by a setting of one's own", async () => {
    await using db = openPool({ url: at(database, "app_login"), max: 1 });
    const own = db.with({ settings: { "app.tenant": "a" }, role: "app_user" });
    const others = own.with({ settings: { "app.tenant": "b" } });
    await own.sql`insert into notes (body) values ('of a')`;
    expect(await own.sql`select tenant, body from notes`).toEqual([{ tenant: "a", body: "of a" }]);
    expect(await others.sql`select * from notes`).toEqual([]);
    expect((await others.query("delete from notes")).rowCount).toBe(0);
    await expect(others.sql`insert into notes (tenant, body) values ('a', 'forged')`).rejects.toMatchObject({
      code: "42501",
      fate: "refused",
    });
    // nobody: on a connection where the setting was made once, and without a view
    expect(await db.with({ role: "app_user" }).sql`select * from notes`).toEqual([]);
    await expect(db.sql`select * from notes`).rejects.toMatchObject({ code: "42501" });
  });

  test("keep users apart by the claims of a token", async () => {
    await using db = openPool({ url: at(database, "authenticator"), max: 1 });
    const as = (sub: string, role: string) => db.with({ settings: { "request.jwt.claims": { sub, role, aud: "app" } }, role });
    const [ada, grace] = [randomUUID(), randomUUID()];
    await as(ada, "authenticated").sql`insert into todos (task) values ('write')`;
    expect(await as(ada, "authenticated").sql`select user_id, task from todos`).toEqual([{ user_id: ada, task: "write" }]);
    expect(await as(grace, "authenticated").sql`select * from todos`).toEqual([]);
    await expect(as(ada, "anon").sql`select * from todos`).rejects.toMatchObject({ code: "42501" });
    await expect(as(ada, "app_user").sql`select 1`).rejects.toMatchObject({ code: "42501", fate: "refused" });
    expect(await db.with({ role: "authenticated" }).sql`select * from todos`).toEqual([]);
    await expect(db.sql`select * from todos`).rejects.toMatchObject({ code: "42501" });
  });
  test("hold for an ORM that goes over a view", async () => {
    await using db = openPool({ url: at(database, "app_login"), max: 1 });
    const notes = pgTable("notes", { tenant: text(), body: text() });
    const ormOf = (tenant: string) => {
      const view = db.with({ settings: { "app.tenant": tenant }, role: "app_user" });
      return drizzle(async (query, params) => ({ rows: (await view.query(query, params, { rowMode: "array" })).rows }));
    };
    await ormOf("c").insert(notes).values({ body: "of c" });
    expect(await ormOf("c").select().from(notes)).toEqual([{ tenant: "c", body: "of c" }]);
    expect(await ormOf("d").select().from(notes)).toEqual([]);
  });
});
