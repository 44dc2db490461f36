import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { PostgresServer } from "../../support/postgres/server.ts";
import { until } from "../admin.ts";
import { otherwise } from "../expected.ts";
import type { Fault, Ground, Round, Way } from "../fault.ts";
import { isServerError, watch } from "../watch.ts";

const everywhere: readonly Way[] = ["pool", "http", "websocket", "request", "lambda"];
/** Where callers come beside each other while the server is away: an environment has one at a time, and may be frozen meanwhile. */
const loaded: readonly Way[] = ["pool", "http", "websocket", "request"];

/** A server that cannot be reached, or takes nobody in. */
export const away: readonly Fault[] = [
  {
    group: "connection",
    name: "server stopped and restarted under load",
    alone: true,
    ways: loaded,
    rounds: 3,
    bareRounds: 2,
    options: { max: 4 },
    round: (ground) =>
      underLoad(ground, async ({ server }) => {
        await server.halt();
        await delay(DOWN_MS);
        await server.resume();
      }),
  },
  {
    group: "connection",
    name: "server crashed and recovered under load",
    alone: true,
    ways: loaded,
    rounds: 3,
    bareRounds: 2,
    options: { max: 4 },
    // Postgres ends every session, and starts again, when one of its processes is killed
    round: (ground) =>
      underLoad(ground, async ({ server }) => {
        const victim = await connect(server);
        const { rows } = await victim.query<{ pid: number }>("select pg_backend_pid() as pid");
        process.kill(rows[0]?.pid ?? Number.NaN, "SIGKILL");
        await until(() =>
          victim.query("select 1").then(
            () => false,
            () => true,
          ),
        );
        await until(() =>
          connect(server).then(
            (client) => client.end().then(() => true),
            () => false,
          ),
        );
      }),
  },
  {
    group: "connection",
    name: "server stopped and restarted during a freeze",
    alone: true,
    ways: ["lambda"],
    rounds: 5,
    async round(ground) {
      const { pause, server, write } = ground;
      const startedAt = await startOf(ground);
      await server.halt();
      await pause();
      await server.resume();
      const { state, code } = await write();
      return { struck: (await startOf(ground)) !== startedAt, wrong: state === "ok" ? undefined : `the first write fails (${code})` };
    },
  },
  {
    group: "connection",
    name: "refused",
    ways: everywhere,
    rounds: 5,
    async round({ front, pause, write }) {
      front.refuse();
      const before = front.connections();
      front.lay({ kind: "rst" });
      await pause();
      const outcome = await write();
      return { struck: front.connections() === before && outcome.state !== "ok", wrong: otherwise(outcome, unreachable) };
    },
  },
  {
    group: "connection",
    name: "57P03, the server is shutting down",
    alone: true,
    ways: everywhere,
    rounds: 3,
    async round({ server, back, pause, write }) {
      const shutsDown = watch(back, isServerError("57P03"));
      const staying = await connect(server);
      // a smart shutdown waits for the session that stays, and takes no other
      process.kill(server.pid, "SIGTERM");
      await until(() =>
        connect(server).then(
          (client) => client.end().then(() => false),
          ({ code }) => code === "57P03",
        ),
      );
      back.cut();
      await pause();
      // the first may only find out that its connection is gone
      const first = await write();
      const told = shutsDown.seen() ? first : await write();
      shutsDown.stop();
      await server.halt();
      await staying.end().catch(() => {});
      await server.resume();
      return { struck: shutsDown.seen() || first.state === "died", wrong: otherwise(told, { code: "57P03", fate: "not-sent" }) };
    },
  },
  {
    group: "connection",
    name: "53300, too many connections",
    alone: true,
    ways: everywhere,
    rounds: 5,
    login: { user: "limited", password: "limited" },
    async middle(next, server) {
      const admin = await connect(server);
      const { rowCount } = await admin.query("select 1 from pg_roles where rolname = 'limited'");
      if (rowCount === 0) await admin.query(`create role limited login password 'limited' connection limit ${SLOTS}`);
      await admin.query("grant insert, select on fault_writes to limited");
      await admin.end();
      return { ...next, [Symbol.asyncDispose]: async () => {} };
    },
    async round({ admin, applicationName, back, server, pause, write }) {
      const isFull = watch(back, isServerError("53300"));
      await admin.kill(applicationName);
      const others = await Promise.all(Array.from({ length: SLOTS }, () => connect(server, { user: "limited", password: "limited" })));
      await pause();
      const outcome = await write();
      isFull.stop();
      for (const other of others) await other.end();
      await until(async () => (await admin.query("select 1 from pg_stat_activity where usename = 'limited'")).length === 0);
      return { struck: isFull.seen() || outcome.state === "died", wrong: otherwise(outcome, { code: "53300", fate: "not-sent" }) };
    },
  },
  {
    group: "connection",
    name: "DNS failure",
    ways: everywhere,
    rounds: 5,
    byName: true,
    async round({ front, pause, send, way, write }) {
      front.lay({ kind: "rst" });
      await pause();
      if (way !== "lambda") await until(() => front.openConnections() === 0);
      const { told: before } = await send("resolver", { fails: true });
      const outcome = await write();
      const { told: after } = await send("resolver", { fails: false });
      return { struck: Number(after) > Number(before), wrong: otherwise(outcome, unreachable) };
    },
  },
];

const unreachable = { code: "CONNECT_FAILED", fate: "not-sent" } as const;

/** How long the server is gone, milliseconds. */
const DOWN_MS = 300;
const LOAD_MS = 1_000;
/** Connections the role may have. */
const SLOTS = 4;

/** Lets callers write while the server goes and comes; recovery is measured beside them. */
async function underLoad(ground: Ground, goAndCome: (ground: Ground) => Promise<void>): Promise<Round> {
  const { admin, id, send, deadlineMs, recover } = ground;
  const prefix = id();
  const load = send("load", { prefix, callers: 4, forMs: LOAD_MS }, { limitMs: LOAD_MS + 2 * deadlineMs + 3_000 });
  await until(async () => (await admin.query("select 1 from fault_writes where starts_with(id, $1) limit 5", [prefix])).length === 5);
  const startedAt = await startOf(ground);
  await goAndCome(ground);
  await recover();
  await load;
  return { struck: (await startOf(ground)) !== startedAt };
}

/** When the server came up, or recovered. */
async function startOf({ admin }: Ground): Promise<string | undefined> {
  const text =
    "select pg_postmaster_start_time()::text || (select min(backend_start)::text from pg_stat_activity where backend_type = 'checkpointer') as at";
  return (await admin.query<{ at: string }>(text))[0]?.at;
}

async function connect(server: PostgresServer, login: { readonly user?: string; readonly password?: string } = {}): Promise<pg.Client> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: "postgres", ...login });
  client.on("error", () => {});
  await client.connect();
  return client;
}
