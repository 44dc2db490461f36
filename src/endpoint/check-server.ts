import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { conditionName } from "../errors/condition.ts";
import { isPermanentLoginFailure } from "../errors/sqlstate.ts";
import { isErrorResponse } from "../wire/error-response.ts";
import { sslRequest } from "../wire/startup-messages.ts";
import { ReachError, readReachFailure, wordsOfReachFailure } from "./reach-failure.ts";
import { sayGoodbye, TERMINATE } from "./say-goodbye.ts";
import { openSocket, type ServerAddress, type ServerLogin } from "./server-address.ts";
import { ServerClient, serverClientConfig } from "./server-client.ts";

/** The server was there, and let one in where somebody asked. */
export interface ServerReached {
  readonly state: "reached";
  /** As `server_version` says it; null where nobody logged in, or the server says none. */
  readonly version: string | null;
  /** Of `select 1`, or where nobody logged in, of the question for TLS. */
  readonly roundTripMs: number;
}

/** It was not there, or let nobody in. */
export interface ServerMissed {
  /** `absent`: it may come by itself. `refused`: only other settings help. */
  readonly state: "absent" | "refused";
  /** CONNECT_FAILED, CONNECT_TIMEOUT, TLS_FAILED, or the SQLSTATE that the login ended with. */
  readonly code: string;
  /** In words, with the code, and the system's own where there is one. */
  readonly reason: string;
}

/** What a look at the server found. */
export type ServerCheck = ServerReached | ServerMissed;

/** How a look goes. */
export interface CheckOptions {
  /** Without one nobody logs in: reached is what answers the question for TLS as Postgres does, and shakes hands where TLS is asked for. */
  readonly login: ServerLogin | undefined;
  readonly timeoutMs: number;
  readonly stopping: AbortSignal;
}

/** Looks whether the server is there and lets one in, within `timeoutMs`. Never rejects; no result holds a name or a value. */
export async function checkServer(address: ServerAddress, { login, timeoutMs, stopping }: CheckOptions): Promise<ServerCheck> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, stopping]);
  try {
    const probed = await probe(address, signal);
    return login === undefined ? { state: "reached", version: null, roundTripMs: probed } : await logIn(address, login, signal);
  } catch (error) {
    if (isErrorResponse(error)) {
      const state = isPermanentLoginFailure(error.code) ? "refused" : "absent";
      return { state, code: error.code, reason: `${conditionName(error.code)} (${error.code})` };
    }
    const late = new ReachError("CONNECT_TIMEOUT", `it did not answer within ${timeoutMs} ms`);
    const failure = readReachFailure(timeout.aborted ? late : error);
    return { state: failure.code === "TLS_FAILED" ? "refused" : "absent", code: failure.code, reason: wordsOfReachFailure(failure) };
  }
}

/** Asks for TLS, shakes hands where it is wanted, and gives how long the answer took. */
function probe(address: ServerAddress, signal: AbortSignal): Promise<number> {
  const { host, tls } = address;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sockets: Socket[] = [openSocket(address)];
  const [socket] = sockets as [Socket];
  const closed = () => reject(new ReachError("CONNECT_FAILED", "it closed the connection"));
  let askedAt = 0;
  socket.once("connect", () => {
    askedAt = performance.now();
    socket.write(sslRequest());
  });
  socket.once("data", (answer) => {
    const roundTripMs = performance.now() - askedAt;
    const said = answer.toString("latin1");
    if (said !== "S" && said !== "N") return reject(new ReachError("CONNECT_FAILED", "what answers there is not Postgres"));
    if (tls === false) return resolve(roundTripMs);
    if (said === "N") return reject(new ReachError("TLS_FAILED", "it speaks no TLS; sslmode=disable does without"));
    const secure = connectTls({ ...tls, socket, host }, () => resolve(roundTripMs));
    sockets.push(secure);
    secure.on("error", reject);
    secure.on("close", closed);
  });
  socket.on("error", reject);
  socket.on("close", closed);
  return whenAborted(signal, () => reject(signal.reason), promise).finally(() => {
    for (const one of sockets.reverse()) one.destroy();
  });
}

/** What `work` comes to; `giveUp` makes it end when the signal is aborted first. */
async function whenAborted<T>(signal: AbortSignal, giveUp: () => void, work: Promise<T>): Promise<T> {
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await work;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function logIn(address: ServerAddress, login: ServerLogin, stopping: AbortSignal): Promise<ServerReached> {
  const startup = { user: login.user, database: login.database, application_name: "warmline endpoint", client_encoding: "UTF8" };
  const client = new ServerClient(serverClientConfig({ ...address, stopping }, { password: login.password, startup }));
  let version: string | null = null;
  client.wire.on("parameterStatus", ({ parameterName, parameterValue }) => {
    // what a server may say of itself goes to a terminal
    if (parameterName === "server_version") version = /^\d[\w.]{0,15}/.exec(parameterValue)?.[0] ?? null;
  });
  const ask = async (): Promise<ServerReached> => {
    await client.connect();
    const askedAt = performance.now();
    await client.query("select 1");
    return { state: "reached", version, roundTripMs: performance.now() - askedAt };
  };
  try {
    // a pooler may let one in and have no server for what is asked
    return await whenAborted(stopping, () => client.wire.stream.destroy(), ask());
  } finally {
    sayGoodbye(client.wire.stream, TERMINATE);
    await client.closed;
  }
}
