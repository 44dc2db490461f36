/**
 * What an environment does, again and again: it works for a while without the database, and then asks for two statements at once, as a handler
 * with a `Promise.all` does. One invocation at a time, which is what Lambda gives an environment.
 */
export const workload = {
  /** How long it works without the database: exponentially distributed, with this mean, milliseconds. */
  thinkMs: 300,
  statements: 2,
  /** How long the server takes for each, milliseconds. */
  statementMs: 10,
  /** Connections the server has for applications. */
  slots: 100,
} as const;

/** What one environment asks. */
export const statement = `select pg_sleep(${workload.statementMs / 1_000})`;

/** How an environment gets to the database. */
export interface Way {
  readonly name: WayName;
  /** In the tables. */
  readonly title: string;
  /** Which client: a name of `clients.ts`. */
  readonly client: "warmline" | "pg" | "warmline-http";
  /** Whether its statements run side by side, on a connection each, or one after the other on one. */
  readonly sideBySide: boolean;
  /** Connections to the server that all share; null where each environment keeps its own. */
  readonly shared: number | null;
}

export type WayName = "direct" | "pg" | "pgbouncer" | "pgbouncer-10" | "endpoint";

/** The endpoint's own bound: `src/endpoint/server-pools.ts`. */
const ENDPOINT_CONNECTIONS = 16;

export const ways: readonly Way[] = [
  { name: "direct", title: "direct, warmline, max 1", client: "warmline", sideBySide: false, shared: null },
  { name: "pg", title: "direct, pg.Pool as it comes", client: "pg", sideBySide: true, shared: null },
  { name: "pgbouncer", title: "PgBouncer, 100 links", client: "warmline", sideBySide: false, shared: workload.slots },
  { name: "pgbouncer-10", title: "PgBouncer, 10 links", client: "warmline", sideBySide: false, shared: 10 },
  {
    name: "endpoint",
    title: `endpoint over HTTP, ${ENDPOINT_CONNECTIONS} links`,
    client: "warmline-http",
    sideBySide: true,
    shared: ENDPOINT_CONNECTIONS,
  },
];
