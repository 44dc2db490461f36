import type { Sessions } from "../transports/http.ts";
import type { WebSocketOptions } from "../transports/websocket.ts";
import { sessionsLate } from "./load-late.ts";

/** Makes what opens the sessions of an HTTP transport. */
export type MakeSessions = (options: WebSocketOptions) => Sessions;

/** Sessions whose driver is loaded, and run, by the first: it is a multiple of all that a query needs. */
export const overWebSocket: MakeSessions = (options) => {
  let made: Sessions | undefined;
  return {
    async open(use, call) {
      if (made === undefined) {
        const { webSocketSessions, Client } = await sessionsLate();
        made ??= webSocketSessions(options, Client);
      }
      return made.open(use, call);
    },
    stats: () => made?.stats() ?? { connects: 0, discarded: 0 },
  };
};
