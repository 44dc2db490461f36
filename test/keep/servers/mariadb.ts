import { setTimeout as delay } from "node:timers/promises";
import { type Connection, createConnection } from "mysql2/promise";
import { findFreePort, openWorkplace, type Program } from "../../support/postgres/workplace.ts";
import { findProgram } from "./find-program.ts";

/** A MariaDB of one's own, with a table `rounds`. */
export interface MariaDb extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: "shop";
  readonly password: string;
  /** Runs a statement on a connection of the administrator's, opened once for all. */
  ask<Row extends object>(text: string, values?: string[]): Promise<readonly Row[]>;
  /** Ends the connections of the user, from the server's side; gives how many. */
  killUsers(): Promise<number>;
  /** Kills the server, and starts it again on the same port. */
  restart(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;

/** Starts it in a temporary folder. Throws when it is not installed, or does not start. */
export async function startMariaDb(): Promise<MariaDb> {
  const [server, install] = [findProgram("mariadbd"), findProgram("mariadb-install-db")];
  if (server === undefined || install === undefined) throw new Error("mariadb-server is not installed: apt-get install mariadb-server");
  const workplace = await openWorkplace("warmline-mariadb-");
  const password = "kept";
  const files = [`--datadir=${workplace.folder}/data`, "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M"];
  let program: Program;
  let admin: Connection;
  try {
    const installed = await workplace.run(install, [
      "--no-defaults",
      ...files,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ]);
    if ((await installed.exit()) !== 0) throw new Error(`mariadb-install-db failed:\n${await workplace.readLog()}`);
    const port = await findFreePort();
    const start = async () => {
      const where = [
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        `--socket=${workplace.folder}/socket`,
        `--pid-file=${workplace.folder}/pid`,
      ];
      program = await workplace.run(server, ["--no-defaults", ...files, ...where, "--skip-name-resolve", "--skip-log-bin"]);
      for (const giveUpAt = Date.now() + START_TIMEOUT_MS; Date.now() < giveUpAt && program.isRunning(); await delay(20)) {
        try {
          admin = await createConnection({ host: "127.0.0.1", port, user: "root" });
          admin.on("error", () => {});
          return;
        } catch {
          // not yet
        }
      }
      throw new Error(`MariaDB did not start:\n${await workplace.readLog()}`);
    };
    await start();
    const ask: MariaDb["ask"] = async (text, values) => (await admin.query(text, values))[0] as never;
    await ask("create database shop");
    await ask("create table shop.rounds (id varchar(40) not null)");
    await ask(`create user shop@'127.0.0.1' identified by '${password}'`);
    await ask("grant all on shop.* to shop@'127.0.0.1'");
    return {
      host: "127.0.0.1",
      port,
      user: "shop",
      password,
      ask,
      async killUsers() {
        const users = await ask<{ id: number }>("select id from information_schema.processlist where user = 'shop'");
        for (const { id } of users) await ask(`kill ${id}`);
        while ((await ask("select id from information_schema.processlist where user = 'shop'")).length > 0) await delay(1);
        return users.length;
      },
      async restart() {
        admin.destroy();
        await program.end("SIGKILL", 0);
        await start();
      },
      async [Symbol.asyncDispose]() {
        admin.destroy();
        await program.end("SIGTERM", 5_000);
        await workplace.close();
      },
    };
  } catch (error) {
    await workplace.close();
    throw error;
  }
}
