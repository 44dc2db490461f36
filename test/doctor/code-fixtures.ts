import type { Files } from "./workplace.ts";

/** What has the fault a rule is named after, and the same without it. */
export interface Fixture {
  readonly fails: Files;
  readonly passes: Files;
}

/** By the names of rules over sources. */
export const codeFixtures: Readonly<Record<string, Fixture>> = {
  "client-at-module-scope": {
    fails: {
      "src/worker.ts": `import pg from "pg";
const { Client } = pg;
const client = new Client();
export default { async fetch() { return Response.json((await client.query("select 1")).rows); } } satisfies ExportedHandler;`,
    },
    passes: {
      "src/worker.ts": `import { Client } from "pg";
export default { async fetch(request: Request, env: Env) {
  const client = new Client(env.HYPERDRIVE.connectionString);
  return Response.json(await client.query("select 1"));
} };`,
      "app/api/route.ts": `import { Pool } from "pg";
const pool = new Pool();
pool.on("error", () => {});
export async function GET() { return Response.json(await pool.query("select 1")); }`,
    },
  },
  "pool-per-request": {
    fails: {
      "src/app.js": `const { Pool } = require("pg");
app.get("/users", async (request, response) => { const pool = new Pool(); response.json(await pool.query("select 1")); });`,
    },
    passes: {
      "src/app.js": `const { Pool } = require("pg");
const pool = new Pool();
app.get("/users", async (request, response) => response.json(await pool.query("select 1")));
exports.makePool = () => new Pool();
let kept;
app.get("/once", async (request, response) => { kept ??= new Pool(); const other = globalThis.pool ?? new Pool(); });
function makeAnother() { return new Pool(); }`,
    },
  },
  "connect-without-release": {
    fails: {
      "src/transfer.ts": `import { Pool } from "pg";
const pool = new Pool();
export async function transfer() {
  const client = await pool.connect();
  await client.query("begin");
  await client.query("commit");
  client.release();
}`,
    },
    passes: {
      "src/transfer.ts": `import * as pg from "pg";
const pool = new pg.Pool();
export async function transfer() {
  const client = await pool.connect();
  try { await client.query("begin"); } finally { client.release(); }
}
export async function twice() {
  const client = await pool.connect();
  try { await client.query("begin"); client.release(); } catch (error) { client.release(error); throw error; }
}
export async function lend() { const client = await pool.connect(); return client; }
export async function later() { const client = await pool.connect(); return client.query("select 1").finally(() => client.release()); }`,
    },
  },
  "pg-in-edge-bundle": {
    fails: {
      "app/api/route.ts": `import { pool } from "@/lib/db";
export const runtime = "edge";
export const GET = async () => Response.json(await pool.query("select 1"));`,
      "lib/db.ts": `import { Pool } from "pg";
export const pool = new Pool();`,
    },
    passes: {
      "app/api/route.ts": `import { pool } from "@/lib/db";
export const runtime = "nodejs";
export const GET = async () => Response.json(await pool.query("select 1"));`,
      "app/edge/route.ts": `import type { Pool } from "pg";
export const runtime = "edge";
export const GET = async () => new Response();`,
      "lib/db.ts": `import { Pool } from "pg";
export const pool = new Pool();`,
    },
  },
  "transaction-over-neon-http": {
    fails: {
      "src/db.ts": `import { drizzle } from "drizzle-orm/neon-http";
export const db = drizzle(process.env.DATABASE_URL!);`,
      "src/pay.ts": `import { db } from "./db.js";
export const pay = () => db.transaction(async (tx) => tx.select());`,
    },
    passes: {
      "src/db.ts": `import { drizzle } from "drizzle-orm/neon-serverless";
export const db = drizzle(process.env.DATABASE_URL!);`,
      "src/pay.ts": `import { db } from "./db.js";
export const pay = () => db.transaction(async (tx) => tx.select());`,
    },
  },
  "tls-verification-off": {
    fails: { "src/db.ts": `export const settings = { ssl: { "rejectUnauthorized": false } };` },
    passes: { "src/db.ts": `export const settings = { ssl: { rejectUnauthorized: true, note: "rejectUnauthorized: false" } };` },
  },
  "url-logged": {
    fails: { "src/start.ts": `console.log(\`connecting to \${process.env.DATABASE_URL!}\`);` },
    passes: { "src/start.ts": `console.log("DATABASE_URL is", process.env.DATABASE_URL ? "set" : "not set", db.plan.server);` },
  },
  "string-built-sql": {
    fails: { "src/users.ts": `export const find = (db: any, name: string) => db.query(\`select * from users where name = '\${name}'\`);` },
    passes: {
      "src/users.ts": `const COLUMNS = "id, name";
export const find = (db, name) => db.query(\`select \${COLUMNS} from users where name = $1\`, [name]);
export const other = (db, name) => db.execute(sql\`select * from users where name = \${name}\`);
export const third = (db) => db.query("select id " + "from users");
export const make = (db, name) => db.query(\`create database \${name}\`);
export const count = (db, table) => db.query("select count(*) from " + pg.escapeIdentifier(table));
export const search = (index, words) => index.query(\`\${words} -draft\`);`,
    },
  },
  "secret-in-wrangler": {
    fails: {
      "wrangler.toml": `name = "api"\n[env.production.vars]\nSTAGE = "production"\nDATABASE_URL = "postgres://app:canary-secret@db.example.com/app"\n`,
    },
    passes: {
      "wrangler.jsonc": `{ // comments\n "name": "api", "vars": { "STAGE": "production", "API_URL": "https://example.com/" } }`,
      "wrangler.toml": `name = "api"\n[vars]\nSTAGE = "production"\n`,
    },
  },
};
