import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { PostgresServer } from "../../support/postgres/server.ts";
import type { Contender } from "./contender.ts";

/** What befalls a connection while its environment is frozen. */
export interface FaultKind {
  readonly name: string;
  /** Does it to the connection of the backend `pid`. Gives a function that says, after the next call, whether it was felt. */
  strike(ground: FaultGround): Promise<() => boolean>;
  /** Whether pg's own pool waits for the function's time-out, so that fewer rounds have to do. */
  readonly hangsBare: boolean;
}

/** What a fault is done to. */
export interface FaultGround {
  readonly contender: Contender;
  readonly server: PostgresServer;
  readonly pid: number;
}

/** The faults, in the order they are tried. */
export const faultKinds: readonly FaultKind[] = [
  { name: "backend killed", hangsBare: false, strike: killBackend },
  {
    name: "backend killed, told after the next write",
    hangsBare: false,
    async strike(ground) {
      const felt = layOn(ground.contender, "withhold");
      const killed = await killBackend(ground);
      return () => felt() && killed();
    },
  },
  { name: "FIN", hangsBare: false, strike: async ({ contender }) => layOn(contender, "fin") },
  { name: "RST on first write", hangsBare: false, strike: async ({ contender }) => layOn(contender, "rst-on-write") },
  { name: "swallowed packets", hangsBare: true, strike: async ({ contender }) => layOn(contender, "swallow") },
  { name: "server restarted", hangsBare: false, strike: restartServer },
];

/** Lays a fault on what is open: the connection opened last is the one in use. */
function layOn({ network }: Contender, kind: "fin" | "rst-on-write" | "swallow" | "withhold"): () => boolean {
  const before = network.strikes.length;
  const connection = network.connections();
  network.lay({ kind });
  return () => network.strikes.slice(before).some((strike) => strike.connection === connection);
}

async function killBackend({ server, pid }: FaultGround): Promise<() => boolean> {
  const told = await withClient(server, async (client) => {
    const { rows } = await client.query<{ told: boolean }>("select pg_terminate_backend($1) as told", [pid]);
    while ((await client.query("select 1 from pg_stat_activity where pid = $1", [pid])).rowCount !== 0) await delay(1);
    return rows[0]?.told === true;
  });
  return () => told;
}

/** Postgres ends every session and starts again when one of its processes is killed. Waits until it takes logins after that. */
async function restartServer({ server, pid }: FaultGround): Promise<() => boolean> {
  await withClient(server, async (client) => {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    process.kill(rows[0]?.pid ?? Number.NaN, "SIGKILL");
  });
  for (const giveUpAt = Date.now() + 20_000; Date.now() < giveUpAt; await delay(5)) {
    const isOver = await withClient(server, async (client) => {
      return (await client.query("select 1 from pg_stat_activity where pid = $1", [pid])).rowCount === 0;
    }).catch(() => false);
    if (isOver) return () => true;
  }
  throw new Error("The server did not come back.");
}

/** Runs `work` on a connection of its own, which may die under it. */
export async function withClient<T>(server: PostgresServer, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: server.url() });
  client.on("error", () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}
