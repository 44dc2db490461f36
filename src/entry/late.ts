// One module for all that a first query needs nothing of: each of its own would be one more file for what they share at every start.
export { heldWork } from "../database/held-work.ts";
export { statusFailure } from "../transports/http-failure.ts";
export { webSocketSessions } from "../transports/websocket.ts";
