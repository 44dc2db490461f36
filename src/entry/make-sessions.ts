import { ConnectionError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import type { Sessions } from "../transports/http.ts";
import type { WebSocketOptions } from "../transports/websocket.ts";

/** Makes what opens the sessions of an HTTP transport. */
export type MakeSessions = (options: WebSocketOptions) => Sessions;

/** Sessions whose driver is loaded, and run, by the first: it is a multiple of all that a query needs. */
export const overWebSocket: MakeSessions = (options) => {
  let loading: Promise<Sessions> | undefined;
  let loaded: Sessions | undefined;
  return {
    async open(use, call) {
      loading ??= load(options).catch((error: unknown) => {
        loading = undefined;
        throw notLoaded(error);
      });
      loaded = await loading;
      return loaded.open(use, call);
    },
    stats: () => loaded?.stats() ?? { connects: 0, discarded: 0 },
  };
};

async function load(options: WebSocketOptions): Promise<Sessions> {
  return (await import("../transports/websocket.ts")).webSocketSessions(options);
}

function notLoaded(error: unknown): ConnectionError {
  return new ConnectionError(
    "The driver of sessions, @neondatabase/serverless, could not be loaded. Deploy every file that the bundler wrote, and the package where it is left outside.",
    { code: "DRIVER_MISSING", fate: "not-sent", cause: redactedCause(error) },
  );
}
