import { readFile } from "node:fs/promises";
import pg from "pg";
import { createDatabase } from "warmline";
import { type Endpoint, startEndpoint } from "warmline/endpoint";
import { type PostgresServer, startPostgres } from "../../test/support/postgres/server.ts";

/** A Postgres of one's own with the local endpoint in front of it, and the demo's tables wherever they are asked for. */
export interface World {
  readonly endpointUrl: string;
  /** Times the endpoint was posted to. */
  countPosts(): number;
  /** Makes a database of this name with infra/schema.sql in it, and gives its URL. */
  seed(database: string): Promise<string>;
  /** Sessions begun in a database since the cluster was made, as the server counts them; read from another database, outside a transaction. */
  countSessions(database: string): Promise<number>;
  stop(): Promise<void>;
}

/** Starts both. `endpointPort` is where the endpoint listens; any free port when it is taken, or not given. */
export async function startWorld(endpointPort = 0): Promise<World> {
  const postgres = await startPostgres();
  try {
    const endpoint = await listen(postgres, endpointPort);
    return worldOf(postgres, endpoint);
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function listen(postgres: PostgresServer, port: number): Promise<Endpoint> {
  const databaseUrl = postgres.url();
  return startEndpoint({ databaseUrl, port }).catch(() => startEndpoint({ databaseUrl, port: 0 }));
}

async function worldOf(postgres: PostgresServer, endpoint: Endpoint): Promise<World> {
  const schema = await readFile(new URL("../../infra/schema.sql", import.meta.url), "utf8");
  const counter = new pg.Client({ connectionString: postgres.url() });
  counter.on("error", () => {});
  await counter.connect();
  return {
    endpointUrl: endpoint.url,
    countPosts: () => endpoint.requests,
    async seed(name) {
      await counter.query(`create database ${pg.escapeIdentifier(name)}`);
      const url = postgres.url(name);
      await using db = createDatabase({ url, transport: "pool" });
      await db.script(schema);
      return url;
    },
    async countSessions(name) {
      const { rows } = await counter.query<{ sessions: string }>("select sessions from pg_stat_database where datname = $1", [name]);
      return Number(rows[0]?.sessions);
    },
    async stop() {
      await counter.end();
      await endpoint.stop();
      await postgres.stop();
    },
  };
}
