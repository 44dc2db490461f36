import type { Socket } from "node:net";
import { Client, type ClientConfig } from "pg";
import { linkTo } from "../wire/link.ts";
import type { ServerAccess } from "./server-address.ts";

/** How long the endpoint waits for the server to accept a connection and a login. */
const CONNECT_TIMEOUT_MS = 15_000;

/** What a connection to the server needs: the address, and all that its StartupMessage carries. */
export interface ServerClientConfig extends ClientConfig {
  /** The StartupMessage's parameters; `user` and `database` among them. */
  readonly startup: Readonly<Record<string, string>>;
  readonly stopping: AbortSignal;
}

/** The pieces of pg's connection that the endpoint uses and @types/pg does not tell. */
export interface WireConnection {
  readonly stream: Socket;
  on(event: "parameterStatus", listener: (message: { readonly parameterName: string; readonly parameterValue: string }) => void): void;
  on(event: "readyForQuery", listener: (message: { readonly status: string }) => void): void;
}

/**
 * A pg client whose StartupMessage is handed in whole, so that a request's own parameters travel in it and the `PG*` variables of the
 * environment do not.
 */
export class ServerClient extends Client {
  readonly #startup: Readonly<Record<string, string>>;
  /** Resolves when the connection is closed, or could not be made. */
  readonly closed: Promise<void>;
  declare readonly processID: number | null;
  declare readonly secretKey: number | null;

  constructor(config?: ServerClientConfig) {
    super(config);
    this.#startup = config?.startup ?? {};
    this.on("error", () => undefined);
    linkTo(this.connection);
    // the socket itself, whose place a stream of TLS takes later
    const { stream } = this.wire;
    this.closed = new Promise((resolve) => stream.once("close", () => resolve()));
    if (config !== undefined) this.#giveUpWhen(config.stopping);
  }

  #giveUpWhen(stopping: AbortSignal): void {
    const giveUp = () => this.wire.stream.destroy();
    const settled = () => stopping.removeEventListener("abort", giveUp);
    stopping.addEventListener("abort", giveUp);
    this.once("connect", settled);
    this.once("end", settled);
  }

  /** Read by pg when it logs in. */
  getStartupConf(): Record<string, string> {
    return { ...this.#startup };
  }

  get wire(): WireConnection {
    return this.connection as unknown as WireConnection;
  }
}

/** The configuration of a client for `login` on `server`. */
export function serverClientConfig(
  server: ServerAccess,
  login: { readonly password: string; readonly startup: Readonly<Record<string, string>> },
): ServerClientConfig {
  return {
    host: server.host,
    port: server.port,
    ssl: server.tls === false ? false : { ...server.tls },
    stopping: server.stopping,
    user: login.startup.user,
    database: login.startup.database ?? login.startup.user,
    password: login.password,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    startup: login.startup,
  };
}
