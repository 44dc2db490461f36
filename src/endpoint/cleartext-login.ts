import { startupParameters } from "./connection-string.ts";
import type { ServerAccess } from "./server-address.ts";
import { ServerClient, serverClientConfig } from "./server-client.ts";
import type { SessionPlaces } from "./session-places.ts";

/** A connection on which someone has logged in, and what the server said about it. Its bytes are the caller's from here on. */
export interface LoggedIn {
  readonly client: ServerClient;
  readonly parameterStatuses: readonly (readonly [name: string, value: string])[];
}

/** The server to log in to, and the room there is for sessions; without it there is no limit. */
export interface SessionAccess extends ServerAccess {
  readonly places?: SessionPlaces;
}

/**
 * Logs in to the server with a password that was given in clear text, by whatever method the server asks for, as soon as there is a place; it is
 * free again when the connection is closed. Rejects with the server's error, or with the failure of the connection, or where no place came free.
 */
export async function loginWithCleartext(
  server: SessionAccess,
  parameters: Readonly<Record<string, string>>,
  password: string,
): Promise<LoggedIn> {
  const { user = "", database = user } = parameters;
  const encoding = parameters.client_encoding;
  const startup = {
    ...startupParameters(Object.entries(parameters)),
    ...(encoding === undefined ? {} : { client_encoding: encoding }),
    user,
    database,
  };
  const { places, stopping } = server;
  await places?.take(stopping);
  stopping.throwIfAborted();
  const client = new ServerClient(serverClientConfig(server, { password, startup }));
  void client.closed.then(places?.free);
  const parameterStatuses: (readonly [string, string])[] = [];
  client.wire.on("parameterStatus", ({ parameterName, parameterValue }) => parameterStatuses.push([parameterName, parameterValue]));
  const startedAt = performance.now();
  await client.connect();
  server.tell?.({ type: "connect", transport: "websocket", durationMs: performance.now() - startedAt });
  client.wire.stream.removeAllListeners("data");
  return { client, parameterStatuses };
}
