import { drizzle as overPg } from "drizzle-orm/node-postgres";
import { createDatabase, sql } from "warmline";
import { dashboard } from "warmline/dashboard";
import { drizzle } from "warmline/drizzle";
import { startEndpoint } from "warmline/endpoint";
import { requestScope, serverTiming } from "warmline/hono";
import { hyperdrive } from "warmline/hyperdrive";
import { keep } from "warmline/keep";
import { WarmlineDialect } from "warmline/kysely";
import { closeOnShutdown, lambdaHandler } from "warmline/lambda";
import { instrument, sqlCommenter, traceChannels } from "warmline/otel";
import { sharedPool, WarmPool } from "warmline/pool";
import { atModuleScope, PrismaWarmline } from "warmline/prisma";
import { attachPool } from "warmline/vercel";

// What a library of a monorepo exports without saying its type: the compiler has to find a name for each in what the package exports.

export const db = createDatabase();
export const { plan, subscribe, script } = db;
export const stats = db.stats();
export const stream = db.stream(sql`select 1`);
export const batches = stream.batches();
export const view = db.with({ settings: {} });
export const session = db.session();
export const held = db.session(async (own) => own);
export const transaction = db.transaction(async (tx) => tx);
export const batch = db.batch([sql<{ readonly a: number }>`select 1 as a`]);
export const query = db.query("select 1");

export const tag = sql;
export const { typed, unnest } = sql;
export const fragments = [sql`a`, sql.id("a"), sql.join([1]), sql.json({}), sql.raw("a"), sql.values([{ a: 1 }]), sql.set({ a: 1 })];

export const pool = sharedPool();
export const client = pool.connect();
export const ownPool = new WarmPool();
export const ownClient = ownPool.connect();
export class OwnPool extends WarmPool {}
export const ormOverPool = overPg({ client: pool });

export const orm = drizzle(db);
export const dialect = new WarmlineDialect(db);
export const driver = dialect.createDriver();
export const adapter = new PrismaWarmline(db);
export const connected = adapter.connect();
export const began = connected.then((connection) => connection.startTransaction());
export const client0 = atModuleScope;

export const sockets = hyperdrive();
export const kept = keep("a", () => ({ a: 1 }));
export const board = dashboard(db);
export const endpoint = startEndpoint({ databaseUrl: "postgres://host/db" });
export const scope = requestScope(db);
export const timing = serverTiming(db);
export const handler = lambdaHandler(db, async (event: { readonly a: number }) => db.sql<{ readonly x: number }>`select ${event.a}`);
export const shutdown = closeOnShutdown(db);
export const tracing = [instrument(db), sqlCommenter, traceChannels(), attachPool];
