import pg from "pg";
import { type Looks, lookAtAll } from "../../src/doctor/examine.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer } from "../support/pgbouncer.ts";
import { type PostgresServer, startPostgres } from "../support/postgres/server.ts";
import { makeProject } from "./workplace.ts";

/** Slots of the server, few enough to be taken. */
export const MAX_CONNECTIONS = 25;

const limits = "set statement_timeout = '30s'";
const idleLimit = "set idle_in_transaction_session_timeout = '60s'";

/** A healthy application's schema: keys that last, an index behind the foreign key, rows that only their owners see. */
const healthy = `
  create role anon nologin;
  create role app login password 'canary-app'; alter role app ${limits}; alter role app ${idleLimit};
  create role without_statement_limit login password 'canary-app'; alter role without_statement_limit ${idleLimit};
  create role without_idle_limit login password 'canary-app'; alter role without_idle_limit ${limits};
  create role reader login password 'canary-app'; alter role reader ${limits}; alter role reader ${idleLimit};
  alter role reader set default_transaction_read_only = on;
  create role boss superuser login password 'canary-app'; alter role boss ${limits}; alter role boss ${idleLimit};
  create role stranger login password 'canary-app'; alter role stranger ${limits}; alter role stranger ${idleLimit};
  grant pg_monitor to app, without_statement_limit, without_idle_limit, reader;
  create table owners (id bigint generated always as identity primary key, name text unique);
  create table pets (id int generated always as identity primary key, owner bigint not null references owners, name text);
  create index on pets (owner);
  alter table pets enable row level security;
  grant select on pets to anon;
  grant select on all sequences in schema public to app, without_statement_limit, without_idle_limit, reader;
  grant select on owners to app;
`;

/** One server for all rules, healthy until somebody makes it otherwise. */
export interface ServerUnderTest extends AsyncDisposable {
  readonly server: PostgresServer;
  readonly pooler: PgBouncer | undefined;
  readonly ca: string;
  /** A session of the superuser's, with limits of its own. */
  readonly admin: pg.Client;
  /** Of a role of the healthy schema, over verified TLS. */
  url(parameters?: string, role?: string): string;
  /** Another session, ended with the server. */
  open(role?: string, application?: string): Promise<pg.Client>;
}

export async function startServerUnderTest(): Promise<ServerUnderTest> {
  const server = await startPostgres({ tls: true, settings: { max_connections: `${MAX_CONNECTIONS}` } });
  const { port, ca = "" } = server;
  const opened = new Set<pg.Client>();
  const connect = async (url: string, application: string) => {
    const client = new pg.Client({ connectionString: url, application_name: application });
    client.on("error", () => {});
    await client.connect();
    opened.add(client);
    client.once("end", () => opened.delete(client));
    return client;
  };
  const plain = (role: string) => `postgres://${role}:canary-app@127.0.0.1:${port}/postgres`;
  const admin = await connect(server.url(), "fixtures");
  await admin.query(healthy);
  const pooler =
    findPgBouncer() === undefined ? undefined : await startPgBouncer({ host: "127.0.0.1", port, user: "app", password: "canary-app" });
  return {
    server,
    pooler,
    ca,
    admin,
    url: (parameters = "", role = "app") => `${plain(role)}?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}${parameters}`,
    open: (role = "app", application = "warmline") => connect(plain(role), application),
    async [Symbol.asyncDispose]() {
      for (const client of opened) await client.end();
      await pooler?.stop();
      await server.stop();
    },
  };
}

/** What the doctor sees from an empty folder, with nothing in its surroundings but that the server is one that others use. */
export async function looksAt(url: string, options: { readonly now?: () => number } = {}): Promise<Looks> {
  using project = makeProject({});
  return await lookAtAll({
    url,
    variables: { NODE_ENV: "production" },
    folder: project.folder,
    signal: new AbortController().signal,
    ...options,
  });
}
