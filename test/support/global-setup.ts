import { Client } from "pg";
import type { TestProject } from "vitest/node";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { findPgBouncer } from "./pgbouncer.ts";
import { startPostgres } from "./postgres/server.ts";

/** Where the run's one Postgres is, and the database that is there for the tests to use. */
export interface ProvidedPostgres {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

declare module "vitest" {
  interface ProvidedContext {
    readonly postgres: ProvidedPostgres;
    /** Address of the local endpoint in front of it, for runtimes that cannot start one. */
    readonly endpoint: string;
    /** What Hyperdrive's local binding is told of the database. */
    readonly hyperdrive: string;
  }
}

const database = "warmline_test";
const hyperdriveDatabase = "warmline_hyperdrive";

/** Starts one Postgres and one endpoint for the whole run, and says loudly which tests this machine cannot run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  if (findPgBouncer() === undefined) {
    console.warn("\n*** pgbouncer is not installed: the tests that need it are SKIPPED. Install it with: apt-get install pgbouncer ***\n");
  }
  const server = await startPostgres({ settings: { max_connections: "200" } });
  try {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await client.query(`create database ${database}`);
    await client.query(`create database ${hyperdriveDatabase}`);
    // Hyperdrive takes no search_path at login
    await client.query(`alter database ${hyperdriveDatabase} set search_path = conformance_workerd_hyperdrive, public`);
    await client.end();
    const endpoint = await startEndpoint({ databaseUrl: server.url(), port: 0 });
    const { host, port, user, password } = server;
    project.provide("postgres", { url: server.url(database), host, port, user, password, database });
    project.provide("endpoint", endpoint.url);
    project.provide("hyperdrive", server.url(hyperdriveDatabase));
    return async () => {
      await endpoint.stop();
      await server.stop();
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
