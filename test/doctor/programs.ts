// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are programs, in text
// biome-ignore-all lint/style/useTemplate: what they begin with is one name
import type { Files } from "./workplace.ts";

const P = 'import { Pool, Client } from "pg";\n';
const K = "const pool = new Pool();\n";
/** Ordinary programs without a fault: one file each, or several. No rule may cry wolf. */
export const goodPrograms: Readonly<Record<string, string | Files>> = {
  "join const array": P + K + 'const COLS = ["id","name"];\nexport const f = () => pool.query(`select ${COLS.join(", ")} from users`);',
  "bulk placeholders":
    P +
    K +
    'export const f = (rows: any[]) => pool.query(`insert into t (a,b) values ${rows.map((_, i) => `($${i * 2 + 1}, $${i * 2 + 2})`).join(", ")}`, rows.flat());',
  "placeholder index": P + K + "export const f = (p: any[]) => pool.query(`select * from t where a = $${p.length}`, p);",
  "asc desc": P + K + 'export const f = (d: boolean) => pool.query(`select * from t order by id ${d ? "asc" : "desc"}`);',
  "cond const":
    P +
    K +
    'export const f = (d?: string) => { const where = d ? "where a = $1" : ""; return pool.query(`select * from t ${where}`, d ? [d] : []); };',
  "let where":
    P +
    K +
    'export const f = (d?: string) => { let where = ""; if (d) where = "where a = $1"; return pool.query(`select * from t ${where}`, [d]); };',
  "conditions push":
    P +
    K +
    'export const f = (q: any) => { const conditions: string[] = []; const params: unknown[] = []; if (q.a) { params.push(q.a); conditions.push(`a = $${params.length}`); } const where = conditions.length > 0 ? `where ${conditions.join(" and ")}` : ""; return pool.query(`select * from t ${where}`, params); };',
  "for of const": P + K + 'for (const table of ["a", "b"]) await pool.query(`delete from ${table}`);',
  "for of const name": P + K + 'const TABLES = ["a","b"] as const; for (const table of TABLES) await pool.query(`delete from ${table}`);',
  "imported screaming": P + K + 'import { COLUMNS } from "./c.ts"; export const f = () => pool.query(`select ${COLUMNS} from t`);',
  "const object": P + K + 'const T = { users: "users" } as const; export const f = () => pool.query(`select * from ${T.users}`);',
  "static class const":
    P +
    'export class Repo { static readonly TABLE = "users"; constructor(private pool: Pool) {} all() { return this.pool.query(`select * from ${Repo.TABLE}`); } }',
  "private class const":
    P +
    'export class Repo { private readonly table = "users"; constructor(private pool: Pool) {} all() { return this.pool.query(`select * from ${this.table}`); } }',
  enum: P + K + 'enum T { Users = "users" } export const f = () => pool.query(`select * from ${T.Users}`);',
  number: P + K + "export const f = (n: string) => pool.query(`select * from t limit ${Number(n)}`);",
  "const template of const": P + K + 'const A = "a"; const B = `${A}, b`; export const f = () => pool.query(`select ${B} from t`);',
  "logged undefined check": 'console.log("has url", process.env.DATABASE_URL !== undefined);',
  using: P + K + 'export async function f() { await using client = await pool.connect(); await client.query("select 1"); }',
  "return as": P + K + "export async function f() { const client = await pool.connect(); return client as unknown as Foo; }",
  yield: P + K + "export async function* f() { const client = await pool.connect(); yield client; }",
  listen: P + K + 'const client = await pool.connect(); client.on("notification", () => {}); await client.query("listen x");',
  "cond return": P + K + "export async function f(x: any) { const client = await pool.connect(); return x ? client : wrap(client); }",
  "arrow gives": P + K + "export async function f() { const client = await pool.connect(); return () => client; }",
  defer:
    P +
    K +
    'export async function f() { const client = await pool.connect(); await using stack = new AsyncDisposableStack(); stack.defer(() => client.release()); await client.query("x"); }',
  "finish event":
    P + K + 'app.get("/x", async (req, res) => { const client = await pool.connect(); res.once("close", () => client.release()); });',
  "finally method":
    P + K + "export async function f() { const client = await pool.connect(); await work(client).finally(() => client.release()); }",
  "finally optional":
    P + K + "export async function f() { let client; try { client = await pool.connect(); } finally { client?.release(); } }",
  "finally optional2":
    P +
    K +
    'export async function f() { const client = await pool.connect(); try { await client.query("x"); } finally { client?.release?.(); } }',
  "registry set":
    P +
    'const pools = new Map(); export async function GET() { if (!pools.has("a")) pools.set("a", new Pool()); return Response.json(1); }',
  "registry set2":
    P +
    'const pools = new Map(); app.get("/x", async (c) => { let pool = pools.get("a"); if (!pool) { pool = new Pool(); pools.set("a", pool); } });',
  "registry set3":
    P + 'const pools = new Map(); app.get("/x", async (c) => { if (!pools.has("a")) { const pool = new Pool(); pools.set("a", pool); } });',
  "global as":
    P +
    'export async function GET() { const pool = ((globalThis as any).pool ??= new Pool() as Pool); return Response.json(await pool.query("select 1")); }',
  memo: P + 'export async function handler() { const pool = await once("pool", () => new Pool()); }',
  "hono worker":
    'import { Hono } from "hono";\n' +
    P +
    'const app = new Hono<{ Bindings: Env }>(); app.get("/x", async (c) => { const pool = new Pool({ connectionString: c.env.HYPERDRIVE.connectionString, max: 1 }); try { return c.json(await pool.query("select 1")); } finally { c.executionCtx.waitUntil(pool.end()); } }); export default app;',
  "hono worker client":
    'import { Hono } from "hono"; import postgres from "postgres";\nconst app = new Hono(); app.get("/x", async (c) => { const sql = postgres(c.env.HYPERDRIVE.connectionString); return c.json(await sql`select 1`); }); export default app;',
  "pages function":
    'import { Pool } from "@neondatabase/serverless"; export const onRequest = async ({ env }) => { const pool = new Pool({ connectionString: env.DATABASE_URL }); return Response.json(await pool.query("select 1")); };',
  "neon edge":
    'import { Pool } from "@neondatabase/serverless"; export const runtime = "edge"; export async function GET(r: Request, ctx: any) { const pool = new Pool({ connectionString: process.env.DATABASE_URL }); ctx.waitUntil(pool.end()); return new Response(); }',
  "bun server":
    'import { Hono } from "hono";\n' +
    P +
    K +
    'const app = new Hono(); app.get("/", async (c) => c.json(await pool.query("select 1"))); export default { port: 3000, fetch: app.fetch };',
  "bun postgres":
    'import postgres from "postgres"; const sql = postgres(process.env.DATABASE_URL!); export default { port: Number(process.env.PORT), async fetch(request: Request) { return Response.json(await sql`select 1`); } };',
  "fastify plugin":
    P +
    'export default async function (fastify, options) { const pool = new Pool(); fastify.decorate("pg", pool); fastify.addHook("onClose", () => pool.end()); }',
  "fastify cjs":
    'const { Pool } = require("pg"); module.exports = async function (fastify) { const pool = new Pool(); fastify.decorate("pg", pool); };',
  "factory default": P + "export default function createPool() { return new Pool(); }",
  "factory cjs": 'const { Pool } = require("pg"); module.exports = () => new Pool();',
  "create app":
    P +
    'export default function createApp(config) { const pool = new Pool(config); const app = express(); app.get("/", async (req, res) => res.json(await pool.query("select 1"))); return app; }',
  "global setup":
    P + 'export default async function globalSetup() { const pool = new Pool(); await pool.query("select 1"); await pool.end(); }',
  nest: P + '@Module({ providers: [{ provide: "PG", useFactory: () => new Pool() }] }) export class Db {}',
  "nuxt plugin": P + "export default defineNitroPlugin((app) => { app.pool = new Pool(); });",
  "inline type edge": 'import { type Pool } from "pg"; export const runtime = "edge"; export const GET = async () => new Response();',
  "masked url": "console.log(DATABASE_URL_HINT, maskedDatabaseUrl);",
  "search query": 'export const f = (index, w) => index.query("with " + w);',
  cli: 'export const f = (cmd, name) => cmd.execute("update " + name);',
  "route module client in fn":
    P +
    'export async function GET() { const client = new Client(); await client.connect(); try { return Response.json(await client.query("select 1")); } finally { await client.end(); } }',
  tsx:
    P +
    K +
    'export default async function Page() { const { rows } = await pool.query<{ id: number }>("select id from t"); return <ul>{rows.map((r) => <li key={r.id}>{r.id}</li>)}</ul>; }',
  quote: P + K + "export const f = (t: string) => pool.query(`select * from ${quoteIdent(t)}`);",
  fmt: P + K + 'import format from "pg-format"; export const f = (t: string) => pool.query(format("select * from %I", t));',
  migration: "exports.up = (knex) => knex.raw(`update t set a = ${1 + 1}`);",
  "migration down": 'const TABLE = "t"; exports.up = (pgm) => pgm.db.query(`insert into ${TABLE} values (1)`);',
  "sql tag in execute": 'import { sql } from "drizzle-orm"; export const f = (db, t) => db.execute(sql`select * from t where id = ${t}`);',
  "kysely raw": 'import { sql } from "kysely"; export const f = (db, t) => sql`select ${t}`.execute(db);',
  "local fn": P + K + 'const cols = (p: boolean) => p ? "a, b" : "a"; export const f = () => pool.query(`select ${cols(true)} from t`);',
  "escape any":
    P + K + "export const f = async (t: string) => { const table = pg.escapeIdentifier(t); return pool.query(`select * from ${table}`); };",
  "allow list":
    P +
    K +
    'const SORT = { name: "name", date: "created_at" }; export const f = (s: keyof typeof SORT) => pool.query(`select * from t order by ${SORT[s]}`);',
  "map keys placeholder":
    P +
    K +
    'export const f = (ids: string[]) => { const list = ids.map((_, i) => `$${i + 1}`).join(","); return pool.query(`select * from t where id in (${list})`, ids); };',
};
/** Ordinary programs with one fault, and the rule that is to see it. */
export const badPrograms: Readonly<Record<string, readonly [rule: string, program: string | Files]>> = {
  "require member": ["pool-per-request", 'const Pool = require("pg").Pool; app.get("/x", async () => { const pool = new Pool(); });'],
  "pg.Pool alias": [
    "pool-per-request",
    'import pg from "pg"; const Pool = pg.Pool; app.get("/x", async () => { const pool = new Pool(); });',
  ],
  "import equals": ["pool-per-request", 'import pg = require("pg"); export async function GET() { const pool = new pg.Pool(); }'],
  "default as": ["pool-per-request", 'import { default as pg } from "pg"; export async function GET() { const pool = new pg.Pool(); }'],
  "dynamic import": ["pool-per-request", 'export async function GET() { const { Pool } = await import("pg"); const pool = new Pool(); }'],
  "dynamic default": [
    "pool-per-request",
    'export async function GET() { const pg = (await import("pg")).default; const pool = new pg.Pool(); }',
  ],
  star: ["pool-per-request", 'import * as pg from "pg"; export async function GET() { const pool = new pg.Pool(); }'],
  aliased: ["pool-per-request", 'import { Pool as P } from "pg"; export async function GET() { const pool = new P(); }'],
  "export list": ["pool-per-request", P + "async function GET() { const pool = new Pool(); } export { GET };"],
  "handler arrow list": ["pool-per-request", P + "const handler = async () => { const pool = new Pool(); }; export { handler };"],
  "default ident": ["pool-per-request", P + "async function handler(req, res) { const pool = new Pool(); } export default handler;"],
  "wrapped handler": ["pool-per-request", P + "export const handler = middy(async () => { const pool = new Pool(); });"],
  nuxt: ["pool-per-request", P + "export default defineEventHandler(async (event) => { const pool = new Pool(); });"],
  page: ["pool-per-request", { "app/page.tsx": P + "export default async function Page() { const pool = new Pool(); return <p/>; }" }],
  "vercel handler": ["pool-per-request", P + "export default async function handler(req, res) { const pool = new Pool(); }"],
  "env computed": ["url-logged", 'console.log(process.env["DATABASE_URL"]);'],
  "this.logger": ["url-logged", "class A { x() { this.logger.info(process.env.DATABASE_URL); } }"],
  "req.log": ["url-logged", 'app.get("/", (req) => { req.log.info(process.env.DATABASE_URL); });'],
  or: ["url-logged", 'console.log(process.env.DATABASE_URL ?? "none");'],
  tern: ["url-logged", 'console.log(x ? process.env.DATABASE_URL : "none");'],
  dbUrl: ["url-logged", 'const dbUrl = process.env.DATABASE_URL; console.log("db", dbUrl);'],
  json: ["url-logged", "console.log(JSON.stringify({ connectionString }));"],
  "tls assign": ["tls-verification-off", "options.ssl.rejectUnauthorized = false;"],
  "tls env computed": ["tls-verification-off", 'process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";'],
  "tls !1": ["tls-verification-off", "export const a = { ssl: { rejectUnauthorized: !1 } };"],
  "sql object": ["string-built-sql", P + K + "export const f = (n: string) => pool.query({ text: `select * from t where n = '${n}'` });"],
  "sql const": [
    "string-built-sql",
    P + K + "export const f = (n: string) => { const text = `select * from t where n = '${n}'`; return pool.query(text); };",
  ],
  "sql let": [
    "string-built-sql",
    P +
      K +
      'export const f = (n: string) => { let text = "select * from t"; text += " where n = \'" + n + "\'"; return pool.query(text); };',
  ],
  "sql concat": ["string-built-sql", P + K + 'export const f = (n: string) => pool.query("select * from t where n = ".concat(n));'],
  "sql comment": [
    "string-built-sql",
    P + K + "export const f = (n: string) => pool.query(`-- find\n/* x */ select * from t where n = '${n}'`);",
  ],
  "sql shadow": [
    "string-built-sql",
    P + K + "{ const name = \"x\"; } export const f = (name: string) => pool.query(`select * from t where n = '${name}'`);",
  ],
  "sql computed": [
    "string-built-sql",
    P + K + "export const f = (name: string) => pool[\"query\"](`select * from t where n = '${name}'`);",
  ],
  "sql member": ["string-built-sql", P + K + 'export const f = (req: any) => pool.query("select * from t where id = " + req.params.id);'],
  "sql nested tpl": [
    "string-built-sql",
    P + K + "export const f = (name: string) => pool.query(`select * from t ${name ? `where n = '${name}'` : \"\"}`);",
  ],
  "sql quoted dollar": [
    "string-built-sql",
    P + K + "export const f = (names: string[]) => pool.query(`select * from t where n in (${names.map((n) => `'${n}'`).join(\",\")})`);",
  ],
  "sql sort": [
    "string-built-sql",
    P + K + 'export const f = (sort: string) => pool.query(`select * from t order by ${sort} ${true ? "asc" : "desc"}`);',
  ],
  "sql join ids": [
    "string-built-sql",
    P + K + 'export const f = (ids: string[]) => pool.query(`select * from t where id in (${ids.join(",")})`);',
  ],
  "class pool connect": [
    "connect-without-release",
    P +
      'export class A { pool = new Pool(); async f() { const client = await this.pool.connect(); await client.query("x"); client.release(); } }',
  ],
  "class ctor pool connect": [
    "connect-without-release",
    P +
      'export class A { private pool; constructor() { this.pool = new Pool(); } async f() { const client = await this.pool.connect(); await client.query("x"); } }',
  ],
  "hono worker scope": [
    "client-at-module-scope",
    'import { Hono } from "hono"; import { env } from "cloudflare:workers";\n' +
      P +
      "const client = new Client(env.HYPERDRIVE.connectionString); const app = new Hono(); export default app;",
  ],
  "worker ident": [
    "client-at-module-scope",
    P + "const client = new Client(); const worker = { async fetch() { return new Response(); } }; export default worker;",
  ],
  "worker satisfies": [
    "client-at-module-scope",
    P +
      "const client = new Client(); const worker: ExportedHandler<Env> = { async fetch() { return new Response(); } }; export { worker as default };",
  ],
  "route export list": ["client-at-module-scope", P + "const client = new Client(); async function GET() {} export { GET };"],
  cts: ["tls-verification-off", { "a.cts": 'import tls = require("tls"); export = { rejectUnauthorized: false };' }],
  mts: ["tls-verification-off", { "a.mts": "export const a = { rejectUnauthorized: false };" }],
  bom: ["tls-verification-off", { "a.ts": "\ufeffexport const a = { rejectUnauthorized: false };" }],
  "jsx in js": ["tls-verification-off", { "a.js": "export const a = () => <A ssl={{ rejectUnauthorized: false }}/>;" }],
  decorators: [
    "tls-verification-off",
    '@Injectable() export class A { constructor(@Inject("x") private readonly x: X) {} ssl = { rejectUnauthorized: false }; }',
  ],
  "cjs return": ["tls-verification-off", { "a.cjs": "if (x) return; module.exports = { rejectUnauthorized: false };" }],
  "js return": ["tls-verification-off", { "a.js": "if (x) return; module.exports = { rejectUnauthorized: false };" }],
  "sloppy js": ["tls-verification-off", { "a.js": "var let = 1; with (x) { y = 010; } module.exports = { rejectUnauthorized: false };" }],
  hashbang: ["tls-verification-off", { "a.js": "#!/usr/bin/env node\nmodule.exports = { rejectUnauthorized: false };" }],
  flow: ["tls-verification-off", { "a.js": "// @flow\nconst a: number = 1; module.exports = { rejectUnauthorized: false };" }],
  "edge require": ["pg-in-edge-bundle", { "app/r/route.ts": 'export const runtime = "edge"; const x = require("pg");' }],
};
