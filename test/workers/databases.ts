import { Client } from "pg";
import { inject } from "vitest";

/** Makes a database of its own in the run's Postgres, so that its backends can be counted. Gives its URL. */
export async function createOwnDatabase(name: string): Promise<string> {
  const { url: serverUrl } = inject("postgres");
  await ask(serverUrl, `drop database if exists ${name} with (force)`);
  await ask(serverUrl, `create database ${name}`);
  const own = new URL(serverUrl);
  own.pathname = `/${name}`;
  return own.href;
}

/** Asks the server over a connection of its own. */
export async function ask<Row>(url: string, text: string): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url, application_name: "watcher" });
  await client.connect();
  const { rows } = await client.query(text).finally(() => client.end());
  return rows as Row[];
}

/** Holds the lock that the workers' `held` and `sleep` wait for, so that they run until it is released, however slow the machine. */
export async function holdWorkers(url: string): Promise<{ release(): Promise<void> } & AsyncDisposable> {
  const client = new Client({ connectionString: url, application_name: "watcher" });
  await client.connect();
  await client.query("select pg_advisory_lock(15)");
  let released: Promise<void> | undefined;
  const release = () => {
    released ??= client.end();
    return released;
  };
  return { release, [Symbol.asyncDispose]: release };
}

/** How many backends of warmline are at work in a database, on a statement with `part` in its text. */
export async function activeBackends(url: string, part = ""): Promise<number> {
  const rows = await ask<{ n: number }>(
    url,
    `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and state = 'active' and application_name = 'warmline' and query like '%${part}%'`,
  );
  return rows[0]?.n ?? 0;
}
