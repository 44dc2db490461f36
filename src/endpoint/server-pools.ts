import { createHash } from "node:crypto";
import type { Statement } from "../transports/transport.ts";
import { cancelRequest, sendCancelRequest } from "./cancel-request.ts";
import type { Login } from "./connection-string.ts";
import { exchange, type ServerResult } from "./exchange.ts";
import { loginFailure } from "./request-failure.ts";
import { GOODBYE_MS, sayGoodbye, TERMINATE } from "./say-goodbye.ts";
import type { ServerAccess, ServerAddress } from "./server-address.ts";
import { ServerClient, type ServerClientConfig, serverClientConfig } from "./server-client.ts";
import { createTypeCatalog, type TypeCatalog } from "./type-catalog.ts";
import { createWaitingLine } from "./waiting-line.ts";

/** Most connections at once, over all logins: with startup parameters of its own each request could be another login. */
const MAX_CONNECTIONS = 16;
/** A connection without work for this long is closed. */
const IDLE_TIMEOUT_MS = 60_000;
/** A connection whose login is older serves no further request, so no password works for longer than this after it was changed. */
const LOGIN_HOLDS_MS = 30_000;

/** A connection held for one request. */
export interface Lease {
  /** The array types of this connection's database. */
  readonly types: TypeCatalog;
  run(statements: readonly Statement[], maxBytes: number): Promise<ServerResult[]>;
  /** Cancels what is running with a CancelRequest and waits until the server took it. The connection is then only fit to be ended. */
  cancel(): Promise<void>;
  /** Gives the connection back as a fresh login would leave it: no transaction, settings, locks, temporary tables or listeners. */
  giveBack(): Promise<void>;
  /** Ends the connection. */
  end(): void;
}

/** Connections to one server, kept between requests, by login. */
export interface ServerPools {
  /** A connection for `login`, as soon as there is one. Rejects with the RequestFailure of a login that failed, or found no room. */
  lease(login: Login, signal: AbortSignal): Promise<Lease>;
  /** Ends all connections, those in use a second later. */
  close(): Promise<void>;
}

/** A connection that is open, or being opened or ended. */
interface Kept {
  readonly client: ServerClient;
  readonly login: LoginState;
  /** When it logged in, milliseconds since the epoch. */
  loggedInAt: number;
  idleTimer: NodeJS.Timeout | undefined;
}

/** What is known of one login, for as long as it has a connection or somebody waits for one. */
interface LoginState {
  readonly key: string;
  readonly config: ServerClientConfig;
  readonly types: TypeCatalog;
  users: number;
}

/** Opens connections to `server` as logins come: never more than sixteen at once, those that are being opened or ended among them. */
export function createServerPools(server: ServerAccess): ServerPools {
  const logins = new Map<string, LoginState>();
  const open = new Set<Kept>();
  /** In the order of their last use. */
  const idle = new Set<Kept>();
  const ending = new Set<Kept>();
  const line = createWaitingLine<LoginState, Kept>();

  const stateOf = (login: Login): LoginState => {
    const key = createHash("sha256")
      .update(JSON.stringify([login.user, login.password, login.database, Object.entries(login.parameters).sort()]))
      .digest("hex");
    const startup = { ...login.parameters, user: login.user, database: login.database, client_encoding: "UTF8" };
    const config = serverClientConfig(server, { password: login.password, startup });
    const state = logins.get(key) ?? { key, config, types: createTypeCatalog(), users: 0 };
    logins.set(key, state);
    return state;
  };
  const leave = (state: LoginState) => {
    state.users -= 1;
    if (state.users === 0) logins.delete(state.key);
  };

  const take = (kept: Kept) => {
    idle.delete(kept);
    clearTimeout(kept.idleTimer);
  };

  const end = (kept: Kept) => {
    take(kept);
    if (!open.has(kept)) return;
    ending.add(kept);
    sayGoodbye(kept.client.wire.stream, TERMINATE);
  };

  const connect = async (login: LoginState): Promise<Kept> => {
    const client = new ServerClient(login.config);
    const kept: Kept = { client, login, loggedInAt: Number.NEGATIVE_INFINITY, idleTimer: undefined };
    login.users += 1;
    open.add(kept);
    const startedAt = performance.now();
    void client.closed.then(() => {
      take(kept);
      open.delete(kept);
      ending.delete(kept);
      leave(login);
      serve();
    });
    try {
      await client.connect();
    } catch (error) {
      end(kept);
      throw error;
    }
    kept.loggedInAt = Date.now();
    server.tell?.({ type: "connect", transport: "http", durationMs: performance.now() - startedAt });
    // told of by a server that ends it
    client.on("error", () => end(kept));
    return kept;
  };

  /** The connection of this login that was used last, if its login still holds. */
  const takeIdle = (login: LoginState): Kept | undefined => {
    for (const kept of [...idle].reverse()) {
      if (kept.login !== login) continue;
      if (!isRecent(kept.loggedInAt)) end(kept);
      else {
        take(kept);
        return kept;
      }
    }
    return undefined;
  };

  /** Serves who waits, as far as there is something to give: a connection of the same login, room for another, or room that will be. */
  const serve = () => {
    for (let login = line.first(); login !== undefined; login = line.first()) {
      const kept = takeIdle(login);
      if (kept === undefined && open.size >= MAX_CONNECTIONS) break;
      line.serve(kept ?? connect(login));
    }
    for (const kept of idle) {
      if (ending.size >= line.length) return;
      end(kept);
    }
  };

  const giveBack = (kept: Kept) => {
    if (server.stopping.aborted || !open.has(kept) || ending.has(kept)) return end(kept);
    idle.add(kept);
    kept.idleTimer = setTimeout(() => end(kept), IDLE_TIMEOUT_MS);
    serve();
  };

  return {
    async lease(login, signal) {
      const state = stateOf(login);
      state.users += 1;
      try {
        const joined = line.join(state, AbortSignal.any([signal, server.stopping]));
        serve();
        return createLease(await joined, { server, giveBack, end });
      } catch (error) {
        throw loginFailure(error);
      } finally {
        leave(state);
      }
    },
    async close() {
      for (const kept of idle) end(kept);
      const cut = setTimeout(() => {
        for (const kept of open) end(kept);
      }, GOODBYE_MS);
      await Promise.all([...open].map(({ client }) => client.closed));
      clearTimeout(cut);
    },
  };
}

/** Whether a login is recent by the wall clock: timers stand still while a machine sleeps. A clock that was set back proves nothing. */
function isRecent(loggedInAt: number): boolean {
  const ageMs = Date.now() - loggedInAt;
  return ageMs >= 0 && ageMs < LOGIN_HOLDS_MS;
}

interface Keeper {
  readonly server: ServerAddress;
  giveBack(kept: Kept): void;
  end(kept: Kept): void;
}

function createLease(kept: Kept, { server, giveBack, end }: Keeper): Lease {
  const { client, login } = kept;
  let failed = false;
  return {
    types: login.types,
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
      await sendCancelRequest(server, cancelRequest(client.processID, client.secretKey));
    },
    async giveBack() {
      try {
        if (failed || client.getTransactionStatus() !== "I") await client.query("ROLLBACK");
        await client.query("DISCARD ALL");
        giveBack(kept);
      } catch {
        end(kept);
      }
    },
    end: () => end(kept),
  };
}
