import { readFile } from "node:fs/promises";
import { Client } from "pg";
import type { PostgresServer } from "../../support/postgres/server.ts";

/** Who may log in, and with what. */
export const users = ["handles_one", "handles_two"] as const;
export type User = (typeof users)[number];
export const passwordOf = (user: User): string => `${user}-secret`;

/** A role that both may take. */
export const ROLE = "handles_role";
/** Schemas in which both may look. */
export const schemas = ["handles_left", "handles_right"] as const;

/** Where the handles connect to. */
export interface Ground extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** Certificates to trust, in PEM. */
  readonly ca: string;
  /** A connection to another database: what it sees of this one it does not add to. */
  readonly outside: Client;
}

/** Makes users, role and schemas on a server that speaks TLS, in a database of their own. */
export async function layGround(server: PostgresServer): Promise<Ground> {
  if (server.ca === undefined) throw new Error("The handles need a server that speaks TLS.");
  const database = "handles_fuzz";
  const outside = new Client({ connectionString: server.url() });
  await outside.connect();
  // logins are what takes the time here, and not what is tried
  await outside.query("set scram_iterations = 1");
  await outside.query(`create database ${database}`);
  await outside.query(`create role ${ROLE} nologin`);
  // else the role may not see how its session is protected
  await outside.query(`grant pg_read_all_stats to ${ROLE}`);
  for (const user of users) {
    await outside.query(`create role ${user} login password '${passwordOf(user)}'`);
    await outside.query(`grant ${ROLE} to ${user}`);
  }
  const inside = new Client({ connectionString: server.url(database) });
  await inside.connect();
  for (const schema of schemas) {
    await inside.query(`create schema ${schema}`);
    await inside.query(`grant usage on schema ${schema} to public`);
  }
  await inside.end();
  return {
    host: server.host,
    port: server.port,
    database,
    ca: await readFile(server.ca, "utf8"),
    outside,
    [Symbol.asyncDispose]: () => outside.end(),
  };
}
