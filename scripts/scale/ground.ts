import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { startPgBouncer } from "../../test/support/pgbouncer.ts";
import { startPostgres } from "../../test/support/postgres/server.ts";
import type { Address } from "./clients.ts";
import { statement, type Way } from "./workload.ts";

/** A server with so many connections for applications, and who looks at it from beside. */
export interface Ground extends AsyncDisposable {
  /** Lays a way to it as soon as nothing of the last one is left; it stands until it is disposed of. */
  lay(way: Way): Promise<Laid>;
  /** Server connections of the application. */
  connections(): Promise<number>;
  /** Asks the workload's statement, again and again, on a connection that is nobody else's; gives how long it took, as twenty figures that are equally likely, milliseconds. */
  besideUntil(over: Promise<unknown>): Promise<readonly number[]>;
  /** Memory that a backend has for itself, MiB: the median of those there are. Undefined where the system does not tell. */
  backendMiB(): Promise<number | undefined>;
}

/** A way as it stands. */
export interface Laid extends AsyncDisposable {
  readonly address: Address;
  /** What stands between, by its process id; undefined where nothing does, or it runs in this process. */
  readonly pid: number | undefined;
}

const user = "app";
const password = "app-of-the-scale-run";
/** For superusers, whose connections the server counts among all the others: one looks, and one asks beside. */
const RESERVED = 3;
const SUPERUSERS = 2;
const FIGURES = 20;
/** More than there are environments. */
const MOST_CLIENTS = 1_100;

/** Starts Postgres with `slots` connections for applications. */
export async function openGround(slots: number): Promise<Ground> {
  const settings = { max_connections: String(slots + RESERVED + SUPERUSERS), superuser_reserved_connections: String(RESERVED) };
  const server = await startPostgres({ settings });
  const observer = new pg.Client({ connectionString: server.url() });
  const neighbour = new pg.Client({ connectionString: server.url() });
  await Promise.all([observer.connect(), neighbour.connect()]);
  await observer.query(`create role ${user} login password '${password}'`);
  const url = (port: number) => `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`;
  const pids = async () => {
    const { rows } = await observer.query<{ pid: number }>("select pid from pg_stat_activity where usename = $1", [user]);
    return rows.map(({ pid }) => pid);
  };
  const empty = async () => {
    for (let looks = 0; looks < 100 && (await pids()).length > 0; looks++) await delay(50);
  };
  return {
    async lay({ name, shared }) {
      await empty();
      if (shared === null) return { address: { url: url(server.port) }, pid: undefined, [Symbol.asyncDispose]: async () => {} };
      if (name === "endpoint") {
        const endpoint = await startEndpoint({ databaseUrl: url(server.port), port: 0 });
        return { address: { url: url(server.port), endpoint: endpoint.url }, pid: undefined, [Symbol.asyncDispose]: () => endpoint.stop() };
      }
      const target = { host: "127.0.0.1", port: server.port, user, password };
      const bouncer = await startPgBouncer(target, { default_pool_size: String(shared), max_client_conn: String(MOST_CLIENTS) });
      return { address: { url: `${bouncer.url()}?pgbouncer=true` }, pid: bouncer.pid, [Symbol.asyncDispose]: () => bouncer.stop() };
    },
    connections: async () => (await pids()).length,
    async besideUntil(over) {
      let isOver = false;
      void over.then(() => {
        isOver = true;
      });
      const took: number[] = [];
      do {
        const begunAt = performance.now();
        await neighbour.query(statement);
        took.push(performance.now() - begunAt);
      } while (!isOver);
      return Array.from({ length: FIGURES }, (_, index) => Math.round(quantile(took, (index + 0.5) / FIGURES) * 100) / 100);
    },
    async backendMiB() {
      const own = await Promise.all((await pids()).map(ownMiB));
      const sorted = own.filter((one) => one !== undefined).toSorted((one, another) => one - another);
      return sorted[sorted.length >> 1];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([observer.end(), neighbour.end()]);
      await server.stop();
    },
  };
}

function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, another) => one - another);
  return sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
}

/** Memory that a process shares with nobody, MiB. Linux alone tells, and whom it may concern. */
export async function ownMiB(pid: number): Promise<number | undefined> {
  const told = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const kiB = [...told.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, figure]) => Number(figure));
  return kiB.length === 0 ? undefined : kiB.reduce((sum, one) => sum + one, 0) / 1_024;
}
