import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { findFreePort, openWorkplace, type Program } from "../../support/postgres/workplace.ts";
import { findProgram } from "./find-program.ts";

/** A Redis of one's own, which has on disk what it has answered. */
export interface RedisServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** A connection of the administrator's, opened once for all. */
  admin(): Redis;
  /** Ends the connections of its clients, from the server's side; gives how many. */
  killUsers(): Promise<number>;
  /** Kills it. */
  kill(): Promise<void>;
  /** Kills it, and starts it again on the same port. */
  restart(): Promise<void>;
}

/** How one server differs from another. */
export interface RedisOptions {
  readonly port?: number;
  readonly args?: readonly string[];
}

const START_TIMEOUT_MS = 20_000;

/** Starts it in a temporary folder. Throws when it is not installed, or does not start. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const path = findProgram("redis-server", "valkey-server");
  if (path === undefined) throw new Error("redis-server is not installed: apt-get install redis-server");
  const workplace = await openWorkplace("warmline-redis-");
  let program: Program;
  let admin: Redis;
  try {
    const port = options.port ?? (await findFreePort());
    const start = async () => {
      const where = ["--bind", "127.0.0.1", "--port", String(port), "--dir", workplace.folder];
      const durable = ["--repl-diskless-sync-delay", "0", "--appendonly", "yes", "--appendfsync", "always", "--save", ""];
      program = await workplace.run(path, [...where, ...durable, ...(options.args ?? [])]);
      admin = new Redis({ host: "127.0.0.1", port, retryStrategy: () => 20, maxRetriesPerRequest: null });
      admin.on("error", () => {});
      const giveUp = AbortSignal.timeout(START_TIMEOUT_MS);
      while (admin.status !== "ready") {
        if (giveUp.aborted || !program.isRunning()) throw new Error(`Redis did not start:\n${await workplace.readLog()}`);
        await delay(5);
      }
    };
    await start();
    const kill = async () => {
      admin.disconnect();
      await program.end("SIGKILL", 0);
    };
    return {
      host: "127.0.0.1",
      port,
      admin: () => admin,
      killUsers: async () => Number(await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")),
      kill,
      async restart() {
        await kill();
        await start();
      },
      async [Symbol.asyncDispose]() {
        await kill();
        await workplace.close();
      },
    };
  } catch (error) {
    await workplace.close();
    throw error;
  }
}
