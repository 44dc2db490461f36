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
import { notReached, type ServerErrorFields, serverErrorFields } from "./request-failure.ts";
import { sayGoodbye, TERMINATE } from "./say-goodbye.ts";
import type { ServerAccess } from "./server-address.ts";
import { splice } from "./splice.ts";

/** How long a client may take to say who it is, however busily it sends. */
const LOGIN_TIMEOUT_MS = 5_000;

/**
 * Serves one WebSocket of Neon's `/v2`: asks the client for its password in clear text, logs in to the server with it, and from then on
 * carries bytes in both directions. Calls `onLogin` in between. Resolves when both ends are closed; never rejects.
 */
export async function bridgeWebSocket(webSocket: WebSocket, server: SessionAccess, onLogin: () => void): Promise<void> {
  const closed = new Promise<void>((resolve) => webSocket.once("close", () => resolve()));
  webSocket.on("error", () => webSocket.terminate());
  const login = await readLogin(webSocket, server);
  if (login === undefined) return closed;
  const loggedIn = await logIn(webSocket, server, login);
  if (loggedIn === undefined) return closed;
  onLogin();
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

interface CleartextLogin {
  readonly parameters: Readonly<Record<string, string>>;
  readonly password: string;
  readonly rest: Buffer;
}

/** Reads what comes before the login; undefined when the WebSocket closed, or was closed here, before there was one. */
function readLogin(webSocket: WebSocket, server: ServerAccess): Promise<CleartextLogin | undefined> {
  return new Promise((resolve) => {
    let buffer: Buffer = Buffer.alloc(0);
    let parameters: Readonly<Record<string, string>> | undefined;
    const finish = (login: CleartextLogin | undefined) => {
      clearTimeout(timer);
      webSocket.off("message", read);
      webSocket.off("close", abandon);
      resolve(login);
    };
    const abandon = () => finish(undefined);
    const refuse = (code: string, message: string) => {
      refuseLogin(webSocket, { severity: "FATAL", code, message });
      finish(undefined);
    };
    const read = (data: Buffer, isBinary: boolean) => {
      if (!isBinary) {
        webSocket.close(1003, "Postgres messages are binary");
        return finish(undefined);
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

/** Logs in, and tells the client how it went. Undefined when the login failed, or the client is gone. */
async function logIn(webSocket: WebSocket, server: SessionAccess, login: CleartextLogin): Promise<LoggedIn | undefined> {
  try {
    const loggedIn = await loginWithCleartext(server, login.parameters, login.password);
    const { client, parameterStatuses } = loggedIn;
    if (webSocket.readyState !== webSocket.OPEN) {
      sayGoodbye(client.wire.stream, TERMINATE);
      return undefined;
    }
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
    webSocket.resume();
    refuseLogin(webSocket, serverErrorFields(error) ?? notReached);
    return undefined;
  }
}

function refuseLogin(webSocket: WebSocket, error: ServerErrorFields): void {
  webSocket.send(errorResponse(error));
  webSocket.close();
}
