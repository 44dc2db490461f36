import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { fateOf, isWarmlineError } from "../../../src/entry/node.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { takeRefusingPort } from "../../support/refusing-port.ts";
import { startWire } from "../../support/wire.ts";
import { openDirect, until, urlAt } from "../databases.ts";
import { handles, pieces, rejection } from "./pools.ts";

let silent: Server;
let silentPort: number;

beforeAll(async () => {
  silent = createServer((socket) => socket.on("error", () => {}).resume());
  await once(silent.listen(0, "127.0.0.1"), "listening");
  silentPort = (silent.address() as AddressInfo).port;
});
afterAll(() => void silent.close());

/** What is the same for pg's pool and ours. */
function inPgsWords({ name, message, code, errno, syscall }: NodeJS.ErrnoException, more: object = {}): object {
  return { name, message, code, errno, syscall, ...more };
}

describe.each(handles)("%s", (kind, make) => {
  const own = kind !== "pg.Pool";
  /** What only ours tells. */
  const alsoOurs = (more: object) => (own ? more : {});
  const notSent = alsoOurs({ fate: "not-sent" });

  test("rejects with what `fateOf` finds the fate of, however it is wrapped", async () => {
    const pool = make(pieces());
    const error = await rejection(pool.query("select nope"));
    const expected = own ? "refused" : undefined;
    expect([fateOf(error), fateOf(new Error("of an ORM", { cause: error }))]).toEqual([expected, expected]);
    await pool.end();
  });

  test("rejects with Node's own error where nobody listens", async () => {
    await using refusing = await takeRefusingPort();
    const pool = make({ ...pieces(), host: "127.0.0.1", port: refusing.port });
    for (const asked of [() => pool.connect(), () => pool.query("select 1"), () => pool.query("select $1::int", [1])]) {
      const error = await rejection(asked());
      expect(error).toMatchObject({
        message: `connect ECONNREFUSED 127.0.0.1:${refusing.port}`,
        code: "ECONNREFUSED",
        errno: expect.any(Number),
        syscall: "connect",
        address: "127.0.0.1",
        port: refusing.port,
        ...alsoOurs({ fate: "not-sent", retryable: true }),
      });
      expect(isWarmlineError(error)).toBe(false);
      expect(isWarmlineError(error.cause)).toBe(own);
    }
    const refused = await new Promise<unknown[]>((resolve) => pool.connect((...args) => resolve(args)));
    expect(refused).toMatchObject([{ code: "ECONNREFUSED" }, undefined, expect.any(Function)]);
    expect(pool.totalCount).toBe(0);
    await pool.end();
  });

  test("rejects with Node's own error where a name is nobody's", async () => {
    const pool = make({ ...pieces(), host: "db.invalid", ssl: false });
    expect(await rejection(pool.query("select 1"))).toMatchObject({
      code: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/),
      syscall: "getaddrinfo",
      hostname: "db.invalid",
      ...notSent,
    });
    await pool.end();
  });

  test("says when connecting took too long, and when waiting did", async () => {
    const away = make({ ...pieces(), host: "127.0.0.1", port: silentPort, connectionTimeoutMillis: 30 });
    for (let time = 0; time < 3; time++) {
      expect(await rejection(away.connect())).toMatchObject({
        name: "Error",
        message: "Connection terminated due to connection timeout",
        ...alsoOurs({ fate: "not-sent", retryable: true, code: "CONNECT_TIMEOUT" }),
      });
    }
    expect([away.idleCount, away.totalCount]).toEqual([0, 0]);
    await away.end();
    const small = make({ max: 1, connectionTimeoutMillis: 1_000 });
    const client = await small.connect();
    const late = [small.connect(), small.query("select 1"), small.query("select $1::int", [1])].map(rejection);
    for (const error of await Promise.all(late)) {
      expect(error).toMatchObject({
        name: "Error",
        message: "timeout exceeded when trying to connect",
        ...alsoOurs({ fate: "not-sent", retryable: true, code: "ACQUIRE_TIMEOUT" }),
      });
    }
    const served = small.query("select 1 as n");
    client.release();
    expect((await served).rows).toEqual([{ n: 1 }]);
    await small.end();
  });

  test("waits for ever where connectionTimeoutMillis is 0", async () => {
    const pool = make({ max: 1, connectionTimeoutMillis: 0 });
    const client = await pool.connect();
    const waiting = pool.query("select 1 as n");
    expect(pool.waitingCount).toBe(1);
    client.release();
    expect((await waiting).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test.each([
    ["a password", { password: "wrong" }, "28P01"],
    ["a database", { database: "nowhere" }, "3D000"],
  ])("hands on what the server says of %s", async (_, piece, code) => {
    const pool = make({ ...pieces(), ...piece });
    const error = await rejection(pool.query("select 1"));
    expect(error).toBeInstanceOf(pg.DatabaseError);
    expect(error).toMatchObject({
      code,
      severity: "FATAL",
      name: "error",
      routine: expect.any(String),
      ...alsoOurs({ fate: "not-sent", retryable: false }),
    });
    expect(pool.totalCount).toBe(0);
    await pool.end();
  });

  test("hands on what a password function throws", async () => {
    const thrown = new TypeError("the vault is shut");
    const pool = make({
      ...pieces(),
      password: () => {
        throw thrown;
      },
    });
    expect(await rejection(pool.connect())).toBe(thrown);
    expect(thrown).toMatchObject({ message: "the vault is shut", ...alsoOurs({ fate: "not-sent", retryable: true }) });
    await pool.end();
  });

  test("says that a server speaks no TLS, and that a certificate is not trusted", async () => {
    const plain = make({ ...pieces(), ssl: true });
    const error = await rejection(plain.connect());
    const speaks = error.message !== "The server does not support SSL connections";
    if (speaks) expect(error.code).toMatch(/CERT|SELF_SIGNED|ALTNAME/);
    expect(own ? error.fate : "not-sent").toBe("not-sent");
    await plain.end();
  });

  test("rejects with pg's DatabaseError, and all of its fields", async () => {
    await using direct = await openDirect();
    await direct.query("create table if not exists drop_in (id int primary key, name text not null)");
    const pool = make({ max: 1 });
    await pool.query("insert into drop_in values (1, 'a') on conflict do nothing");
    const duplicate = {
      code: "23505",
      constraint: "drop_in_pkey",
      table: "drop_in",
      schema: "public",
      detail: "Key (id)=(1) already exists.",
      severity: "ERROR",
    };
    const insert = "insert into drop_in values ($1, $2)";
    const client = await pool.connect();
    const errors = [
      await rejection(client.query(insert, [1, "b"])),
      await rejection(client.query({ name: "own", text: insert, values: [1, "c"] })),
    ];
    client.release();
    errors.push(await rejection(pool.query(insert, [1, "d"])));
    for (const error of errors) {
      expect(error).toBeInstanceOf(pg.DatabaseError);
      expect(error).toMatchObject({ ...duplicate, ...alsoOurs({ fate: "refused", retryable: false }) });
      expect(isWarmlineError(error)).toBe(false);
    }
    await pool.end();
    await direct.query("drop table drop_in");
  });

  test("says that nothing stays of a text without values either, however many statements it has and whatever is open", async () => {
    const direct = await openDirect();
    await direct.query(
      "drop table if exists drop_in; create table drop_in (id int primary key deferrable initially deferred); insert into drop_in values (1)",
    );
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const fateOf = async (text: string) => {
      const { code, fate } = await rejection(client.query(text));
      await client.query("rollback");
      return [code, fate];
    };
    const refused = own ? "refused" : undefined;
    const unknown = own ? "unknown" : undefined;
    for (const before of ["select 1", "begin"]) {
      await client.query(before);
      expect(await fateOf("insert into drop_in values (2) returning 1 / 0")).toEqual(["22012", refused]);
      await client.query(before);
      expect(await fateOf("insert into drop_in values (2); select ';' || 1 / 0")).toEqual(["22012", refused]);
      await client.query(before);
      expect(await fateOf("insert into drop_in values (2); commit; select 1 / 0")).toEqual(["22012", unknown]);
      await client.query("delete from drop_in where id = 2");
    }
    await client.query("begin");
    await client.query("insert into drop_in values (1)");
    expect(await fateOf("commit")).toEqual(["23505", refused]);
    expect((await client.query("select id from drop_in")).rows).toEqual([{ id: 1 }]);
    client.release();
    await pool.end();
    await direct.query("drop table drop_in");
    await direct.end();
  });

  test("says that a conflict between transactions may be tried again, where nothing of it stays", async () => {
    const pool = make({ max: 1 });
    const conflict =
      "create function pg_temp.conflict() returns int language plpgsql as $$ begin raise exception 'again' using errcode = '40001'; end $$";
    const client = await pool.connect();
    await client.query(conflict);
    const text = "select pg_temp.conflict(), $1::int";
    const byItself = await rejection(client.query(text, [1]));
    await client.query("begin");
    const inBlock = await rejection(client.query({ name: "conflict", text, values: [1] }));
    await client.query("rollback");
    for (const error of [byItself, inBlock])
      expect(error).toMatchObject({ code: "40001", ...alsoOurs({ fate: "refused", retryable: true }) });
    const committing = "do $$ begin commit; raise exception 'again' using errcode = '40001'; end $$";
    expect(await rejection(client.query(committing))).toMatchObject({ code: "40001", ...alsoOurs({ fate: "unknown", retryable: false }) });
    client.release();
    await pool.end();
  });

  test("tells of a text without values, as ORMs send control, whether something of it stays", async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    await client.query("create temporary table early (id int primary key deferrable initially deferred)");
    const toldOf = async (text: string) => {
      const told = await rejection(client.query(text));
      return [told.code, told.fate, told.retryable];
    };
    const by = (code: string, fate = "refused", retryable = false) => [code, ...(own ? [fate, retryable] : [undefined, undefined])];
    await client.query("begin");
    await client.query("insert into early values (1), (1)");
    expect(await toldOf("commit")).toEqual(by("23505"));
    for (const text of [
      "insert into early values (1), (1)",
      "insert into early values (1); select 1/0",
      "begin; insert into early values (1); select 1/0",
    ])
      expect(await toldOf(text)).toEqual(by(text.includes("1/0") ? "22012" : "23505"));
    expect(await toldOf("select 1")).toEqual(by("25P02"));
    await client.query("rollback");
    expect((await client.query("select from early")).rowCount).toBe(0);
    expect(await toldOf("insert into early values (1); commit; select 1/0")).toEqual(by("22012", "unknown"));
    await client.query("begin isolation level serializable");
    expect(await toldOf("do $$ begin raise exception 'again' using errcode = '40001'; end $$")).toEqual(by("40001", "unknown"));
    await client.query("rollback");
    expect((await client.query("select from early")).rowCount).toBe(1);
    client.release();
    await pool.end();
  });

  test("tells the loss of a connection in Node's words, by query and by client", async () => {
    await using wire = await startWire(inject("postgres"));
    const pool = make({ connectionString: urlAt(wire), max: 1 });
    pool.on("error", () => {});
    // those of the pools before sleep on
    const statement = `select pg_sleep(20) as "${kind}"`;
    const lost = rejection(pool.query(statement));
    await until(() => pool.totalCount === 1 && pool.idleCount === 0);
    await until(async () => (await openAndCount()) > 0);
    wire.cut();
    expect(await lost).toMatchObject({
      message: expect.stringMatching(/^(Connection terminated unexpectedly|read ECONNRESET)$/),
      ...alsoOurs({ fate: "unknown", retryable: false }),
    });
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();

    async function openAndCount(): Promise<number> {
      await using direct = await openDirect();
      return (await direct.query("select 1 from pg_stat_activity where query = $1", [statement])).rowCount ?? 0;
    }
  });

  test("tells of a client that is lost in a transaction what of its statement may stay: nothing, but for a COMMIT", async () => {
    await using wire = await startWire(inject("postgres"));
    await using direct = await openDirect();
    const pool = make({ connectionString: urlAt(wire), max: 1 });
    pool.on("error", () => {});
    const lostAt = async (text: string, strike: "cut" | "kill") => {
      const client = await pool.connect();
      client.on("error", () => {});
      await client.query("begin");
      const { rows } = await client.query("select pg_backend_pid() as pid");
      const isSent = ({ from, type, body }: PostgresMessage) => from === "client" && /[PQ]/.test(type) && body.includes(text);
      if (strike === "cut") wire.cutAt(isSent);
      else {
        await direct.query("lock table lost_in_block");
        const stopListening = wire.onMessage((message) => {
          if (!isSent(message)) return;
          stopListening();
          void killer.query("select pg_terminate_backend($1)", [rows[0].pid]);
        });
      }
      const error = await rejection(client.query(text));
      client.release();
      return error;
    };
    await using killer = await openDirect();
    await killer.query("create table if not exists lost_in_block (id int)");
    const refused = alsoOurs({ fate: "refused", retryable: true });
    for (const text of ["savepoint lost", "rollback", "insert into lost_in_block values (1)"])
      expect(await lostAt(text, "cut")).toMatchObject(refused);
    for (const text of ["commit", "select 1; commit", "rollback; insert into lost_in_block values (1)"])
      expect(await lostAt(text, "cut")).toMatchObject(alsoOurs({ fate: "unknown", retryable: false }));
    await direct.query("begin");
    expect(await lostAt("insert into lost_in_block values (2)", "kill")).toMatchObject({ code: "57P01", ...refused });
    await direct.query("rollback");
    await pool.end();
    await killer.query("drop table lost_in_block");
  });

  test("says that a client is used no more once its connection has been lost or closed", async () => {
    const pool = make({ max: 1 });
    pool.on("error", () => {});
    const client = (await pool.connect()) as pg.PoolClient & { end(): Promise<void> };
    client.on("error", () => {});
    await client.end();
    expect(await rejection(client.query("select $1::int", [1]))).toMatchObject({
      message: "Client was closed and is not queryable",
      ...notSent,
    });
    client.release();
    expect((await pool.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await pool.end();
  });

  test("leaves no rejection that nobody handles, and goes on with the queue behind a login that failed", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    try {
      const closing = createServer((socket) => socket.destroy());
      await once(closing.listen(0, "127.0.0.1"), "listening");
      const pool = make({ ...pieces(), host: "127.0.0.1", port: (closing.address() as AddressInfo).port, max: 1 });
      const asked = [pool.connect(), pool.connect(), pool.query("select 1")].map(rejection);
      for (const error of await Promise.all(asked)) {
        expect(inPgsWords(error)).toMatchObject({
          name: "Error",
          message: expect.stringMatching(/^(Connection terminated unexpectedly|read ECONNRESET)$/),
        });
        expect(error).toMatchObject(notSent);
      }
      await pool.end();
      closing.close();
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });
});
