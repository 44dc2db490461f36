import { Pool as NeonPool, neon, neonConfig } from "@neondatabase/serverless";
import pg from "pg";
import { isOverHttp } from "../fault.ts";
import { type OpenSubject, type Subject, type SubjectConfig, type Write, writeStatement } from "../subject.ts";

/**
 * pg and Neon's driver as their documentation shows them, with its way of writing a transaction: no time-outs, no listeners, no repetitions.
 */
export const openSubject: OpenSubject = async (config) => {
  const { way, options } = config;
  const connectionString = namedUrl(config);
  const again: Subject["again"] = (changed) => openSubject({ ...config, options: { ...options, ...changed } });
  const open = (): Bare => {
    if (way === "http") return overHttp(config, connectionString);
    if (way === "request") return perRequest(connectionString);
    if (way === "websocket") useEndpoint(config);
    const Pool = way === "websocket" ? (NeonPool as unknown as typeof pg.Pool) : pg.Pool;
    return overPool(new Pool({ connectionString, max: way === "lambda" ? 1 : (options.max ?? 2) }));
  };
  const bare = open();
  return {
    ...bare,
    again,
    bounded: (write, { inTransaction }) => (inTransaction ? bare.transaction([write]) : bare.write(write)),
  };
};

type Bare = Omit<Subject, "again" | "bounded">;

function overPool(pool: pg.Pool): Bare {
  return {
    request: (work) => work(),
    async write(write) {
      await pool.query(writeStatement(write));
    },
    async transaction(writes, before) {
      const client = await pool.connect();
      try {
        await inTransaction(client, writes, before);
      } finally {
        client.release();
      }
    },
    async unawaited(write) {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        client.query(writeStatement(write)).catch(() => {});
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    },
    hold: () => pool.connect(),
    async say({ text, values = [] }) {
      await pool.query(text, [...values]);
    },
    async script({ text }) {
      await pool.query(text);
    },
    async read() {
      await pool.query("select 1");
    },
    async sleep(ms) {
      await pool.query("select pg_sleep($1)", [ms / 1_000]);
    },
    close: () => pool.end(),
  };
}

function perRequest(connectionString: string): Bare {
  const withClient = async (work: (client: pg.Client) => Promise<unknown>) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  };
  return {
    request: (work) => work(),
    write: (write) => withClient((client) => client.query(writeStatement(write))),
    transaction: (writes, before) => withClient((client) => inTransaction(client, writes, before)),
    unawaited: (write) =>
      withClient(async (client) => {
        await client.query("BEGIN");
        client.query(writeStatement(write)).catch(() => {});
        await client.query("COMMIT");
      }),
    say: ({ text, values = [] }) => withClient((client) => client.query(text, [...values])),
    script: ({ text }) => withClient((client) => client.query(text)),
    read: () => withClient((client) => client.query("select 1")),
    sleep: (ms) => withClient((client) => client.query("select pg_sleep($1)", [ms / 1_000])),
    close: async () => {},
  };
}

function overHttp(config: SubjectConfig, connectionString: string): Bare {
  useEndpoint(config);
  const client = neon(connectionString);
  const send = (write: Write) => {
    const { text, values } = writeStatement(write);
    return client.query(text, values);
  };
  return {
    request: (work) => work(),
    async write(write) {
      await send(write);
    },
    async transaction(writes) {
      await client.transaction(writes.map(send));
    },
    async unawaited(write) {
      await client.transaction([send(write)]);
    },
    async say({ text, values = [] }) {
      await client.query(text, [...values]);
    },
    async read() {
      await client.query("select 1");
    },
    async sleep(ms) {
      await client.query("select pg_sleep($1)", [ms / 1_000]);
    },
    close: async () => {},
  };
}

/** As pg's documentation has it. */
async function inTransaction(client: pg.ClientBase, writes: readonly Write[], before?: () => void | Promise<void>): Promise<void> {
  try {
    await client.query("BEGIN");
    for (const [index, write] of writes.entries()) {
      if (index > 0) await before?.();
      await client.query(writeStatement(write));
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

/** Neon's driver takes its endpoint for the whole process. */
function useEndpoint({ endpoint }: SubjectConfig): void {
  const { host, protocol } = new URL(endpoint ?? "");
  neonConfig.fetchEndpoint = () => `${protocol}//${host}/sql`;
  neonConfig.wsProxy = () => `${host}/v2`;
  neonConfig.useSecureWebSocket = protocol === "https:";
}

/** What is set for warmline beside the URL, pg takes in it. */
function namedUrl({ way, url, applicationName, options }: SubjectConfig): string {
  const named = new URL(url);
  const { host, port, user, password, sslMode, ca } = options;
  if (host !== undefined) named.hostname = host;
  if (port !== undefined) named.port = String(port);
  if (user !== undefined) named.username = user;
  if (typeof password === "string") named.password = encodeURIComponent(password);
  if (sslMode !== undefined && !isOverHttp(way)) named.searchParams.set("sslmode", sslMode);
  if (ca !== undefined && !isOverHttp(way)) named.searchParams.set("sslrootcert", ca);
  named.searchParams.set("application_name", applicationName);
  return named.href;
}
