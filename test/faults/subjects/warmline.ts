import { randomUUID } from "node:crypto";
import { createDatabase, type Database, type DatabaseOptions, sql } from "../../../src/entry/node.ts";
import { sharedPool, WarmPool } from "../../../src/entry/pool.ts";
import type { OpenSubject, SubjectConfig, Write } from "../subject.ts";
import { createRequestDatabase, runRequest } from "./request-database.ts";

/** Warmline as the package's own names give it, but for the transport `request`, which is assembled for Node here. */
export const openSubject: OpenSubject = async (config) => {
  const { way } = config;
  const options = optionsOf(config);
  const database = way === "request" ? createRequestDatabase(options) : createDatabase(options);
  let pool: WarmPool | undefined;
  return {
    database,
    request: (work) => (way === "request" ? runRequest(database, work) : work()),
    async write(write) {
      if (way === "websocket") await inTransaction(database, [write]);
      else await database.query(statement(write));
    },
    async transaction(writes, before) {
      if (way === "http") await database.batch(writes.map(statement));
      else await inTransaction(database, writes, before);
    },
    async unawaited(write) {
      await database.transaction(async (tx) => {
        tx.query(statement(write)).catch(() => {});
      });
    },
    async hold() {
      const { deadlineMs: _, transport: __, ...rest } = options;
      pool ??= new WarmPool(rest);
      return await pool.connect();
    },
    share: () => sharedPool(options),
    async bounded(write, { inTransaction: whole, ...bounds }) {
      if (way === "http" && whole) await database.batch([statement(write)], bounds);
      else if (way === "websocket" || whole) await database.transaction((tx) => tx.query(statement(write)), bounds);
      else await database.query(statement(write), bounds);
    },
    async say({ text, values = [], options }) {
      if (way === "websocket") await database.session((session) => session.query(text, values), options);
      else await database.query(text, values, options);
    },
    script: ({ text, options }) => database.script(text, options),
    async read() {
      if (way === "websocket") await database.transaction((tx) => tx.sql`select 1`);
      else await database.query("select 1");
    },
    async sleep(ms) {
      await database.query("select pg_sleep($1)", [ms / 1_000]);
    },
    async close() {
      await Promise.all([database.close(), pool?.end()]);
    },
    again: (changed) => openSubject({ ...config, options: { ...config.options, name: randomUUID(), ...changed } }),
  };
};

async function inTransaction(database: Database, writes: readonly Write[], before?: () => void | Promise<void>): Promise<void> {
  await database.transaction(async (tx) => {
    for (const [index, write] of writes.entries()) {
      if (index > 0) await before?.();
      await tx.query(statement(write));
    }
  });
}

function statement({ id, lock }: Write) {
  return lock === undefined
    ? sql`insert into fault_writes (id) values (${id})`
    : sql`insert into fault_writes (id) select ${id}::text from (select pg_advisory_xact_lock_shared(${lock}::int)) as waited`;
}

/** On lambda the transport is left to the plan; `request` takes no authorities but the platform's, which are the same. */
function optionsOf({ way, url, endpoint, applicationName, options }: SubjectConfig): DatabaseOptions {
  const transport = { pool: "pool", http: "http", websocket: "http", request: "request", lambda: undefined } as const;
  const { ca, ...others } = options;
  const own = way === "request" ? others : options;
  return { url, applicationName, transport: transport[way], ...(endpoint !== null && { endpoint }), ...own };
}
