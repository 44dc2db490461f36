import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import {
  authenticationCleartextPassword,
  authenticationOk,
  backendKeyData,
  errorResponse,
  parameterStatus,
  readyForQuery,
} from "../../../src/endpoint/backend-messages.ts";
import { loginWithCleartext } from "../../../src/endpoint/cleartext-login.ts";
import { takePassword, takeStartupPacket } from "../../../src/wire/startup-messages.ts";
import { findTokenFault, type KnownCredentials } from "../rds-proxy/check-token.ts";
import { receive } from "../rds-proxy/fake-rds-proxy.ts";
import { type ConflictCode, DsqlSession } from "./dsql-session.ts";

/** What a fake stands for, and in front of what. */
export interface FakeDsqlOptions {
  /** The real Postgres. */
  readonly server: { readonly host: string; readonly port: number; readonly database?: string };
  /** Who the fake itself logs in as, for each of its own users. */
  readonly users: Readonly<Record<string, { readonly user: string; readonly password: string }>>;
  readonly region: string;
  /** Whose tokens are accepted at first. */
  readonly credentials: readonly KnownCredentials[];
  /** The wall clock, milliseconds since 1970. Default: this machine's. */
  readonly now?: () => number;
  /** How old a connection grows before it is ended, milliseconds. Default 60 minutes. */
  readonly lifetimeMs?: number;
  /** What each session of the real Postgres begins with. Default: nothing. */
  readonly prepares?: string;
  /** What its clients call it; its certificate is good for `*.dsql.eu-central-1.on.aws`. Default `localhost`. */
  readonly name?: string;
}

/** A server that speaks like Aurora DSQL, on 127.0.0.1: TLS and tokens, an end to every connection, conflicts told at COMMIT. */
export interface FakeDsql extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** Every token a login was tried with, good or not, in order. */
  readonly tokens: readonly string[];
  /** Why a login was refused, in words, in order. */
  readonly refusals: readonly string[];
  /** What was asked for that DSQL has not, in words, in order: a client that knows it asks for none of it. */
  readonly strange: readonly string[];
  readonly logins: number;
  /** Clients that are logged in now. */
  readonly sessions: number;
  /** Connections that were ended because they were too old, with what was asked of them then. */
  readonly ended: number;
  /** From now on only these credentials are good. */
  trust(credentials: readonly KnownCredentials[]): void;
  /** The next commits, or statements alone, end in a conflict, told by these codes; each takes one. */
  conflict(...codes: readonly ConflictCode[]): void;
  /** Of those, how many nobody has met yet. */
  readonly conflicts: number;
  /** Ends every connection that is old enough, whether anything is asked of it or not. */
  retire(): void;
  /** The next so many logins come too fast. */
  tooFast(logins: number): void;
}

/** Asked for at login, these are not known. */
const refusedParameters = ["options", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

const read = (name: string) => readFileSync(new URL(`../tls/${name}`, import.meta.url), "utf8");

/** Starts a fake on a free port of 127.0.0.1. */
export async function startFakeDsql(options: FakeDsqlOptions): Promise<FakeDsql> {
  const { now = Date.now, name: host = "localhost", lifetimeMs = 3_600_000, region, prepares = "" } = options;
  const certificate = { cert: read("dsql.pem"), key: read("dsql-key.pem") };
  const stopping = new AbortController();
  const sockets = new Set<Socket>();
  const tokens: string[] = [];
  const refusals: string[] = [];
  const strange: string[] = [];
  const conflicts: ConflictCode[] = [];
  /** Ends a client that is old enough, for each. */
  const retiring = new Set<() => boolean>();
  let credentials = new Map<string, KnownCredentials>();
  let [logins, sessions, ended, tooFast] = [0, 0, 0, 0];

  const trust = (known: readonly KnownCredentials[]) => {
    credentials = new Map(known.map((one) => [one.accessKeyId, one]));
  };
  trust(options.credentials);

  const keep = <T extends Socket>(socket: T): T => {
    sockets.add(socket);
    socket
      .setNoDelay(true)
      .on("error", () => socket.destroy())
      .on("close", () => sockets.delete(socket));
    return socket;
  };
  const refuse = (socket: Socket, reason: string, code: string, message: string) => {
    refusals.push(reason);
    socket.end(errorResponse({ severity: "FATAL", code, message }));
  };

  async function serve(plain: Socket): Promise<void> {
    const first = (await receive(plain, takeStartupPacket)).message;
    if (first.kind !== "encryption") return refuse(plain, "plain text", "28000", "SSL is required");
    plain.write("S");
    const client = keep(new TLSSocket(plain, { isServer: true, ...certificate }));
    const startup = (await receive(client, takeStartupPacket)).message;
    if (startup.kind !== "startup") return void client.destroy();
    const { user = "", database = "" } = startup.parameters;
    const refused = refusedParameters.find((name) => name in startup.parameters);
    if (refused) return refuse(client, refused, "0A000", `setting configuration parameter "${refused}" not supported`);
    client.write(authenticationCleartextPassword());
    const answer = (await receive(client, takePassword)).message;
    const token = answer.kind === "password" ? answer.password : "";
    tokens.push(token);
    const fault = findTokenFault(token, { service: "dsql", host, port: 0, user, region, now: now(), credentials });
    const own = options.users[user];
    if (fault !== undefined || own === undefined)
      return refuse(client, fault ?? "unknown user", "28000", "unable to accept connection, access denied");
    if (tooFast > 0) {
      tooFast--;
      return refuse(client, "too fast", "53400", "unable to accept connection, new connection rate exceeded");
    }
    if (database !== "postgres") return refuse(client, "unknown database", "3D000", `database "${database}" does not exist`);
    await join(client, { ...startup.parameters, user: own.user, database: options.server.database ?? database }, own.password);
  }

  async function join(client: Socket, parameters: Readonly<Record<string, string>>, password: string): Promise<void> {
    const access = { ...options.server, tls: false as const, stopping: stopping.signal };
    const loggedIn = await loginWithCleartext(access, parameters, password);
    const server = keep(loggedIn.client.wire.stream);
    logins++;
    sessions++;
    const since = now();
    const statuses = loggedIn.parameterStatuses.map(([name, value]) => parameterStatus(name, value));
    const session = new DsqlSession(client, server, { conflicts, strange, prepares });
    client.write(Buffer.concat([authenticationOk(), ...statuses, backendKeyData(1, 1), readyForQuery()]));
    const endIfOld = (): boolean => {
      if (now() - since < lifetimeMs || client.writableEnded) return client.writableEnded;
      ended++;
      client.end(errorResponse({ severity: "FATAL", code: "57P01", message: "terminating connection: it is 60 minutes old" }));
      return true;
    };
    retiring.add(endIfOld);
    client.once("close", () => {
      sessions--;
      retiring.delete(endIfOld);
      server.destroy();
    });
    server.once("close", () => client.destroy());
    server.on("data", (chunk: Buffer) => session.answer(chunk));
    client.on("data", (chunk: Buffer) => {
      if (!endIfOld()) session.ask(chunk);
    });
    await session.begin();
    client.resume();
  }

  const listener = createServer((socket) => {
    serve(keep(socket)).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    host,
    port,
    ca: read("dsql-ca.pem"),
    tokens,
    refusals,
    strange,
    get logins() {
      return logins;
    },
    get sessions() {
      return sessions;
    },
    get ended() {
      return ended;
    },
    trust,
    get conflicts() {
      return conflicts.length;
    },
    retire() {
      for (const end of retiring) end();
    },
    conflict: (...codes) => void conflicts.push(...codes),
    tooFast: (count) => {
      tooFast = count;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
