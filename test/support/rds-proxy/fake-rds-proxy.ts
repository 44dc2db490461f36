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
import { type Taken, takePassword, takeStartupPacket } from "../../../src/wire/startup-messages.ts";
import { findTokenFault, type KnownCredentials } from "./check-token.ts";

/** What a fake stands for, and in front of what. */
export interface FakeRdsProxyOptions {
  /** The real Postgres. */
  readonly server: { readonly host: string; readonly port: number };
  /** The secret: what the proxy itself logs in with, by user. */
  readonly passwords: Readonly<Record<string, string>>;
  readonly region: string;
  /** Whose tokens are accepted at first. */
  readonly credentials: readonly KnownCredentials[];
  /** The wall clock, in milliseconds since 1970. Default: this machine's. */
  readonly now?: () => number;
  /** `instance`: an RDS instance with IAM, which refuses with 28000 and takes startup parameters. Default `proxy`. */
  readonly kind?: "proxy" | "instance";
  /** What its clients call it, wherever that name leads; its certificate is good for `*.proxy-warmline.eu-central-1.rds.amazonaws.com`. Default `localhost`. */
  readonly name?: string;
}

/** A server that speaks like RDS Proxy with IAM and TLS required, on 127.0.0.1. */
export interface FakeRdsProxy extends AsyncDisposable {
  /** Its name. */
  readonly host: string;
  readonly port: number;
  /** The certificate of its authority, in PEM. */
  readonly ca: string;
  /** Every token a login was tried with, good or not, in order. */
  readonly tokens: readonly string[];
  /** Why a login was refused, in words, in order. */
  readonly refusals: readonly string[];
  /** Logins that reached Postgres, so far. */
  readonly logins: number;
  /** Clients that are logged in now. */
  readonly sessions: number;
  readonly cancelRequests: number;
  /** From now on only these credentials are good. */
  trust(credentials: readonly KnownCredentials[]): void;
}

/** Asked for at login, these are refused by RDS Proxy. */
const refusedParameters = ["options", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

const read = (name: string) => readFileSync(new URL(`../tls/${name}`, import.meta.url), "utf8");

/** Starts a fake on a free port of 127.0.0.1. */
export async function startFakeRdsProxy(options: FakeRdsProxyOptions): Promise<FakeRdsProxy> {
  const { kind = "proxy", now = Date.now, name: host = "localhost" } = options;
  const certificate = { cert: read("server.pem"), key: read("server-key.pem") };
  const stopping = new AbortController();
  const sockets = new Set<Socket>();
  const tokens: string[] = [];
  const refusals: string[] = [];
  let credentials = new Map<string, KnownCredentials>();
  let [logins, sessions, cancelRequests] = [0, 0, 0];

  const trust = (known: readonly KnownCredentials[]) => {
    credentials = new Map(known.map((one) => [one.accessKeyId, one]));
  };
  trust(options.credentials);

  const keep = <T extends Socket>(socket: T): T => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
    return socket;
  };

  const refuse = (socket: Socket, reason: string, sqlState: string, message: string) => {
    refusals.push(reason);
    socket.end(errorResponse({ severity: "FATAL", code: sqlState, message }));
  };

  async function serve(plain: Socket): Promise<void> {
    const first = (await receive(plain, takeStartupPacket)).message;
    if (first.kind === "cancel") {
      cancelRequests++;
      plain.destroy();
      return;
    }
    if (first.kind !== "encryption") return refuse(plain, "plain text", "28000", "This RDS Proxy requires TLS connections");
    plain.write("S");
    const client = keep(new TLSSocket(plain, { isServer: true, ...certificate }));
    const startup = (await receive(client, takeStartupPacket)).message;
    if (startup.kind !== "startup") return void client.destroy();
    const refused = kind === "proxy" && refusedParameters.find((name) => name in startup.parameters);
    if (refused) return refuse(client, refused, "0A000", `RDS Proxy currently doesn't support the option ${refused}.`);

    client.write(authenticationCleartextPassword());
    const answer = (await receive(client, takePassword)).message;
    const token = answer.kind === "password" ? answer.password : "";
    tokens.push(token);
    const { user = "" } = startup.parameters;
    const fault = findTokenFault(token, { host, port, user, region: options.region, now: now(), credentials });
    if (fault !== undefined) {
      return kind === "proxy"
        ? refuse(
            client,
            fault,
            "28P01",
            `The IAM authentication failed for the role ${user}. Check the IAM token for this role and try again.`,
          )
        : refuse(client, fault, "28000", `PAM authentication failed for user "${user}"`);
    }
    await joinToServer(client, startup.parameters, options.passwords[user] ?? "");
  }

  async function joinToServer(client: Socket, parameters: Readonly<Record<string, string>>, password: string): Promise<void> {
    const access = { ...options.server, tls: false as const, stopping: stopping.signal };
    const loggedIn = await loginWithCleartext(access, parameters, password);
    const server = keep(loggedIn.client.wire.stream);
    logins++;
    sessions++;
    client.once("close", () => {
      sessions--;
      server.destroy();
    });
    server.once("close", () => client.destroy());
    const statuses = loggedIn.parameterStatuses.map(([name, value]) => parameterStatus(name, value));
    client.write(Buffer.concat([authenticationOk(), ...statuses, backendKeyData(1, 1), readyForQuery()]));
    client.pipe(server);
    server.pipe(client);
  }

  const listener = createServer((socket) => {
    serve(keep(socket)).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  return {
    host,
    port,
    ca: read("ca.pem"),
    tokens,
    refusals,
    get logins() {
      return logins;
    },
    get sessions() {
      return sessions;
    },
    get cancelRequests() {
      return cancelRequests;
    },
    trust,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

/** The message at the head of what comes next; rejects when the client goes first. What follows it stays in the socket. */
export function receive(socket: Socket, take: (buffer: Buffer) => Taken | undefined): Promise<Taken> {
  return new Promise((resolve, reject) => {
    let buffer: Buffer = Buffer.alloc(0);
    const gone = () => reject(new Error("The client went away."));
    const onData = (chunk: Buffer) => {
      buffer = Buffer.concat([buffer, chunk]);
      const taken = take(buffer);
      if (taken === undefined) return;
      socket.off("data", onData).off("close", gone).pause();
      if (taken.rest.length > 0) socket.unshift(taken.rest);
      resolve(taken);
    };
    socket.on("data", onData).once("close", gone).resume();
  });
}
