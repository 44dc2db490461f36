import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import { makeAgentHttp } from "./make-agent-http.ts";
import { type MakeSessions, overWebSocket } from "./make-sessions.ts";
import { needVariablesOfNeon } from "./process-variables.ts";

/** Sessions whose driver reads variables of the process when it is loaded. */
const overDriver: MakeSessions = (options) => {
  const { open, stats } = overWebSocket(options);
  return {
    async open(use, call) {
      needVariablesOfNeon();
      return open(use, call);
    },
    stats,
  };
};

/** The HTTP transport of Node, Bun and Deno, with its sessions. */
export function makeNodeHttp(input: TransportInput): Promise<Transport> {
  return makeAgentHttp(input, { openSessions: overDriver });
}
