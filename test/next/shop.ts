import { readFile } from "node:fs/promises";
import pg from "pg";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { startPostgres } from "../support/postgres/server.ts";

/** Postgres and the local endpoint, with a database of the example's for each app that is counted. */
export interface Shops {
  /** Environment of an app with a fresh database of this name in it. */
  open(name: string): Promise<Shop>;
  stop(): Promise<void>;
}

/** One app's database, as the server sees it. */
export interface Shop {
  readonly env: { readonly DATABASE_URL: string; readonly WARMLINE_ENDPOINT: string };
  readonly password: string;
  /** Sessions begun since the app was given the database; read from another one. */
  sessions(): Promise<number>;
  /** Backends connected to it now. */
  backends(): Promise<number>;
  /** The first column of the first row. */
  ask(text: string): Promise<unknown>;
}

/** Starts both. */
export async function startShops(): Promise<Shops> {
  const [postgres, schema] = await Promise.all([startPostgres(), readFile("examples/next/schema.sql", "utf8")]);
  const endpoint = await startEndpoint({ databaseUrl: postgres.url(), port: 0 });
  const counter = new pg.Client({ connectionString: postgres.url() });
  counter.on("error", () => {});
  await counter.connect();
  const count = async (text: string, name: string) => Number((await counter.query({ text, rowMode: "array" }, [name])).rows[0]?.[0]);
  const inside = async (name: string, text: string) => {
    const client = new pg.Client({ connectionString: postgres.url(name) });
    await client.connect();
    const result = await client.query({ text, rowMode: "array" });
    await client.end();
    return result.rows?.[0]?.[0] as unknown;
  };
  return {
    async open(name) {
      await counter.query(`create database ${pg.escapeIdentifier(name)}`);
      await inside(name, schema);
      const sessions = () => count("select sessions from pg_stat_database where datname = $1", name);
      const before = await sessions();
      let own = 0;
      return {
        env: { DATABASE_URL: postgres.url(name), WARMLINE_ENDPOINT: endpoint.url },
        password: postgres.password,
        sessions: async () => (await sessions()) - before - own,
        backends: () => count("select count(*) from pg_stat_activity where datname = $1", name),
        ask(text) {
          own++;
          return inside(name, text);
        },
      };
    },
    async stop() {
      await counter.end();
      await endpoint.stop();
      await postgres.stop();
    },
  };
}
