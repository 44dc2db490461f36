import type { WebSocket } from "ws";
import { takePassword, takeStartupPacket } from "../wire/startup-messages.ts";
import {
  authenticationCleartextPassword,
  authenticationOk,
  backendKeyData,
  errorResponse,
  parameterStatus,
  readyForQuery,
} from "./backend-messages.ts";
import { cancelRequest, sendCancelRequest } from "./cancel-request.ts";
import { type LoggedIn, loginWithCleartext, type SessionAccess } from "./cleartext-login.ts";
import type { EndpointFailure } from "./endpoint-events.ts";
import { loginFailureOf, notReached, queryCancelled, type ServerErrorFields, serverErrorFields } from "./request-failure.ts";
import { sayGoodbye, TERMINATE } from "./say-goodbye.ts";
import type { ServerAccess } from "./server-address.ts";
import { splice } from "./splice.ts";

const NOT_BINARY = "Postgres messages are binary";
/** How long a client may take to say who it is, however busily it sends. */
const LOGIN_TIMEOUT_MS = 5_000;

/**
 * Serves one WebSocket of Neon's `/v2`: asks the client for its password in clear text, logs in to the server with it, and from then on
 * carries bytes in both directions. Calls `onLogin` in between, once, and tells what kept one from logging in: null where nothing did, or nobody
 * wanted to. Resolves when both ends are closed; never rejects.
 */
export async function bridgeWebSocket(webSocket: WebSocket, server: SessionAccess, onLogin: OnLogin): Promise<void> {
  const closed = new Promise<void>((resolve) => webSocket.once("close", () => resolve()));
  webSocket.on("error", () => webSocket.terminate());
  const login = await readLogin(webSocket, server, onLogin);
  if (login === undefined) return closed;
  const loggedIn = await logIn(webSocket, server, { login, onLogin });
  if (loggedIn === undefined) return closed;
  const { client } = loggedIn;
  const { stream } = client.wire;
  const ended = new Promise<void>((resolve) => stream.once("close", () => resolve()));
  const { terminated } = splice(webSocket, stream, login.rest);
  await Promise.race([closed, ended]);
  if (!stream.destroyed && !terminated()) await sendCancelRequest(server, cancelRequest(client.processID ?? 0, client.secretKey ?? 0));
  sayGoodbye(stream);
  webSocket.close();
  await Promise.all([closed, ended]);
}

/** Called when it is known whether a client is logged in. */
type OnLogin = (failure: EndpointFailure | null) => void;

interface CleartextLogin {
  readonly parameters: Readonly<Record<string, string>>;
  readonly password: string;
  readonly rest: Buffer;
}

/** Reads what comes before the login; undefined when the WebSocket closed, or was closed here, before there was one. */
function readLogin(webSocket: WebSocket, server: ServerAccess, onLogin: OnLogin): Promise<CleartextLogin | undefined> {
  return new Promise((resolve) => {
    let buffer: Buffer = Buffer.alloc(0);
    let parameters: Readonly<Record<string, string>> | undefined;
    const finish = (login: CleartextLogin | undefined, failure: EndpointFailure | null = null) => {
      if (login === undefined) onLogin(failure);
      clearTimeout(timer);
      webSocket.off("message", read);
      webSocket.off("close", abandon);
      resolve(login);
    };
    const abandon = () => finish(undefined, queryCancelled().failure);
    const refuse = (code: string, message: string) => {
      refuseLogin(webSocket, { severity: "FATAL", code, message });
      finish(undefined, { sqlState: code, reason: message });
    };
    const read = (data: Buffer, isBinary: boolean) => {
      if (!isBinary) {
        webSocket.close(1003, NOT_BINARY);
        return finish(undefined, { sqlState: null, reason: NOT_BINARY });
      }
      buffer = Buffer.concat([buffer, data]);
      for (;;) {
        const taken = parameters === undefined ? takeStartupPacket(buffer) : takePassword(buffer);
        if (taken === undefined) return;
        buffer = taken.rest;
        const { message } = taken;
        switch (message.kind) {
          case "encryption":
            webSocket.send(Buffer.from("N"));
            break;
          case "cancel":
            void sendCancelRequest(server, message.packet).then(() => webSocket.close());
            return finish(undefined);
          case "startup":
            parameters = message.parameters;
            webSocket.send(authenticationCleartextPassword());
            break;
          case "password":
            if (message.password === "") return refuse("28P01", "empty password returned by client");
            webSocket.pause();
            return finish({ parameters: parameters ?? {}, password: message.password, rest: buffer });
          case "unreadable":
            return refuse("08P01", "expected the startup of PostgreSQL's protocol 3.0");
        }
      }
    };
    const timer = setTimeout(() => refuse("57014", "canceling authentication due to timeout"), LOGIN_TIMEOUT_MS);
    webSocket.on("message", read);
    webSocket.once("close", abandon);
  });
}

interface LoginWork {
  readonly login: CleartextLogin;
  readonly onLogin: OnLogin;
}

/** Logs in, and tells the client how it went. Undefined when the login failed, or the client is gone. */
async function logIn(webSocket: WebSocket, server: SessionAccess, { login, onLogin }: LoginWork): Promise<LoggedIn | undefined> {
  try {
    const loggedIn = await loginWithCleartext(server, login.parameters, login.password);
    const { client, parameterStatuses } = loggedIn;
    if (webSocket.readyState !== webSocket.OPEN) {
      onLogin(queryCancelled().failure);
      sayGoodbye(client.wire.stream, TERMINATE);
      return undefined;
    }
    onLogin(null);
    webSocket.send(
      Buffer.concat([
        authenticationOk(),
        ...parameterStatuses.map(([name, value]) => parameterStatus(name, value)),
        backendKeyData(client.processID ?? 0, client.secretKey ?? 0),
        readyForQuery(),
      ]),
    );
    return loggedIn;
  } catch (error) {
    onLogin(server.stopping.aborted ? queryCancelled().failure : loginFailureOf(error));
    webSocket.resume();
    refuseLogin(webSocket, serverErrorFields(error) ?? notReached);
    return undefined;
  }
}

function refuseLogin(webSocket: WebSocket, error: ServerErrorFields): void {
  webSocket.send(errorResponse(error));
  webSocket.close();
}
