import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { PostgresServer } from "../support/postgres/server.ts";

/** Which of an application's backends are meant. */
export type BackendState = "idle" | "active" | "idle in transaction";

/** The suite's own view of the server, past every proxy. */
export interface Admin extends AsyncDisposable {
  /** Rows of one query, on a connection that is replaced when it was lost. */
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<readonly R[]>;
  /** Takes an advisory lock, until it is released. Statements that want it too wait. */
  lock(): Promise<{ readonly lock: number; release(): Promise<void> }>;
  /** Resolves when a backend of the application waits for a lock, or with `false` when none does. Rejects after twenty seconds. */
  waiting(applicationName: string, wanted?: boolean): Promise<void>;
  /** Ends the application's backends in this state; resolves with their number when the server has none of them any more. */
  kill(applicationName: string, state?: BackendState): Promise<number>;
  /** The application's backends, those with something to do first. */
  backends(applicationName: string): Promise<readonly { readonly pid: number; readonly state: string }[]>;
}

const PATIENCE_MS = 20_000;

/** Connects when it is first asked. */
export function openAdmin(server: PostgresServer): Admin {
  let main: Promise<pg.Client> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let locks = 0;
  const held = new Set<pg.Client>();

  /** One after the other, for all who ask. */
  function query<R extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<readonly R[]> {
    const answer = last.then(() => ask<R>(text, values));
    last = answer.catch(() => {});
    return answer;
  }

  async function ask<R extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<readonly R[]> {
    const isFresh = main === undefined;
    main ??= connect(server);
    const client = await main.catch((error) => {
      main = undefined;
      throw error;
    });
    try {
      return (await client.query<R>(text, [...values])).rows;
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.severity !== "FATAL") throw error;
      main = undefined;
      await client.end().catch(() => {});
      // the faults of the suite end this connection too: what it is asked may be asked twice
      if (isFresh) throw error;
      return await ask(text, values);
    }
  }

  const backends: Admin["backends"] = (applicationName) =>
    query("select pid, coalesce(state, '') as state from pg_stat_activity where application_name = $1 order by state", [applicationName]);

  return {
    query,
    backends,
    async lock() {
      const lock = ++locks;
      const client = await connect(server);
      held.add(client);
      await client.query("select pg_advisory_lock($1)", [lock]);
      return {
        lock,
        async release() {
          held.delete(client);
          await client.end().catch(() => {});
        },
      };
    },
    waiting: (applicationName, wanted = true) =>
      until(async () => {
        const text = "select 1 from pg_stat_activity where application_name = $1 and wait_event_type = 'Lock'";
        return (await query(text, [applicationName])).length > 0 === wanted;
      }),
    async kill(applicationName, state) {
      const meant = (await backends(applicationName)).filter((backend) => state === undefined || backend.state === state);
      const pids = meant.map(({ pid }) => pid);
      const text = "select pid from (select unnest($1::int[]) as pid) as meant where pg_terminate_backend(pid)";
      const killed = await query(text, [pids]);
      await until(async () => (await query("select 1 from pg_stat_activity where pid = any($1)", [pids])).length === 0);
      return killed.length;
    },
    async [Symbol.asyncDispose]() {
      for (const client of held) await client.end().catch(() => {});
      await (await main?.catch(() => undefined))?.end().catch(() => {});
    },
  };
}

/** Asks again until `holds`, for what another process does in its own time. Rejects after twenty seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + PATIENCE_MS; !(await holds()); await delay(5)) {
    if (Date.now() > giveUpAt) throw new Error("What was waited for did not come.");
  }
}

async function connect(server: PostgresServer): Promise<pg.Client> {
  // a server that speaks TLS takes plain text too
  const client = new pg.Client({ connectionString: server.url(), application_name: "fault suite" });
  client.on("error", () => {});
  await client.connect();
  // a fault may make the whole server read-only
  await client.query("set default_transaction_read_only = off");
  return client;
}
