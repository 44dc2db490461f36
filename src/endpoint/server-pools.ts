import { createHash } from "node:crypto";
import { Pool, type PoolClient } from "pg";
import { cancelRequest, sendCancelRequest } from "./cancel-request.ts";
import type { Login } from "./connection-string.ts";
import { exchange, type ServerResult, type ServerStatement } from "./exchange.ts";
import { loginFailure } from "./request-failure.ts";
import type { ServerAccess, ServerAddress } from "./server-address.ts";
import { ServerClient, serverClientConfig } from "./server-client.ts";
import { createTypeCatalog, type TypeCatalog } from "./type-catalog.ts";

/** Most connections the endpoint keeps for one login. */
const MAX_CONNECTIONS = 20;
/** Most logins whose idle connections are kept: with startup parameters of its own each request could be another login. */
const MAX_LOGINS = 16;
/** A connection without work for this long is closed. */
const IDLE_TIMEOUT_MS = 60_000;
/** A connection whose login is older serves no further request, so no password works for longer than this after it was changed. */
const LOGIN_HOLDS_MS = 30_000;

/** A connection held for one request. */
export interface Lease {
  /** The array types of this connection's database. */
  readonly types: TypeCatalog;
  run(statements: readonly ServerStatement[], maxBytes: number): Promise<ServerResult[]>;
  /** Cancels what is running with a CancelRequest and waits until the server took it. The connection is then only fit to be destroyed. */
  cancel(): Promise<void>;
  /** Gives the connection back as a fresh login would leave it: no transaction, settings, locks, temporary tables or listeners. */
  giveBack(): Promise<void>;
  destroy(): void;
}

/** Connections to one server, kept between requests, by login. */
export interface ServerPools {
  /** A connection for `login`. Rejects with the RequestFailure of a login that failed. */
  lease(login: Login): Promise<Lease>;
  close(): Promise<void>;
}

interface LoginPool {
  readonly pool: Pool;
  /** When each connection logged in, milliseconds since the epoch. */
  readonly logins: WeakMap<object, number>;
  readonly types: TypeCatalog;
  readonly forgetWhenEmpty: () => void;
}

/** Opens pools to `server` as logins come. */
export function createServerPools(server: ServerAccess): ServerPools {
  /** In the order of their last use. */
  const pools = new Map<string, LoginPool>();
  const ending = new Set<Promise<void>>();

  const endLongestIdle = () => {
    for (const [key, { pool }] of pools) {
      if (pool.idleCount < pool.totalCount || pool.waitingCount > 0) continue;
      pools.delete(key);
      const ended: Promise<void> = pool.end().then(() => void ending.delete(ended));
      ending.add(ended);
      return;
    }
  };

  const poolFor = (login: Login): LoginPool => {
    const key = createHash("sha256")
      .update(JSON.stringify([login.user, login.password, login.database, Object.entries(login.parameters).sort()]))
      .digest("hex");
    const known = pools.get(key);
    if (known !== undefined) {
      pools.delete(key);
      pools.set(key, known);
      return known;
    }
    if (pools.size >= MAX_LOGINS) endLongestIdle();
    const startup = { ...login.parameters, user: login.user, database: login.database, client_encoding: "UTF8" };
    const pool = new Pool({
      ...serverClientConfig(server, { password: login.password, startup }),
      Client: ServerClient,
      max: MAX_CONNECTIONS,
      idleTimeoutMillis: IDLE_TIMEOUT_MS,
    });
    const forgetWhenEmpty = () => {
      if (pool.totalCount === 0 && pool.waitingCount === 0 && pools.get(key) === created) pools.delete(key);
    };
    const logins = new WeakMap<object, number>();
    const created = { pool, logins, types: createTypeCatalog(), forgetWhenEmpty };
    pool.on("connect", (client) => logins.set(client, Date.now()));
    pool.on("error", forgetWhenEmpty);
    pool.on("remove", forgetWhenEmpty);
    pools.set(key, created);
    return created;
  };

  return {
    async lease(login) {
      const { pool, logins, types, forgetWhenEmpty } = poolFor(login);
      try {
        for (;;) {
          const client = (await pool.connect()) as PoolClient & ServerClient;
          if (isRecent(logins.get(client))) return createLease(client, types, server);
          client.release(true);
        }
      } catch (error) {
        forgetWhenEmpty();
        throw loginFailure(error);
      }
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all([...ending, ...open.map(({ pool }) => pool.end())]);
    },
  };
}

/** Whether a login is recent by the wall clock: timers stand still while a machine sleeps. A clock that was set back proves nothing. */
function isRecent(loggedInAt = Number.NEGATIVE_INFINITY): boolean {
  const ageMs = Date.now() - loggedInAt;
  return ageMs >= 0 && ageMs < LOGIN_HOLDS_MS;
}

function createLease(client: PoolClient & ServerClient, types: TypeCatalog, address: ServerAddress): Lease {
  let failed = false;
  const destroy = () => {
    client.wire.stream.destroy();
    client.release(true);
  };
  return {
    types,
    async run(statements, maxBytes) {
      try {
        return await exchange(client, statements, maxBytes);
      } catch (error) {
        failed = true;
        throw error;
      }
    },
    async cancel() {
      if (client.processID === null || client.secretKey === null) return;
      await sendCancelRequest(address, cancelRequest(client.processID, client.secretKey));
    },
    async giveBack() {
      try {
        if (failed || client.getTransactionStatus() !== "I") await client.query("ROLLBACK");
        await client.query("DISCARD ALL");
        client.release();
      } catch {
        destroy();
      }
    },
    destroy,
  };
}
