import type { Transport } from "../transports/transport.ts";
import type { TransportInput } from "./create.ts";
import { makeAgentHttp } from "./make-agent-http.ts";
import { overWebSocket } from "./make-sessions.ts";

/** The HTTP transport of Node, Bun and Deno, with its sessions. */
export function makeNodeHttp(input: TransportInput): Promise<Transport> {
  return makeAgentHttp(input, { openSessions: overWebSocket });
}
