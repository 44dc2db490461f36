import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { databaseOn } from "./create.ts";
import { edgePlatform } from "./edge-platform.ts";
import { heldWorkLate, statusReaderLate } from "./load-late.ts";
import { makeHttp } from "./make-http.ts";
import { overWebSocket } from "./make-sessions.ts";

export * from "./public.ts";

const create = databaseOn({
  ...edgePlatform,
  heldWork: heldWorkLate,
  available: () => ({ choices: [overHttp], webSocket: typeof WebSocket === "function" }),
  transports: { http: (input) => makeHttp(input, { statusReader: statusReaderLate, openSessions: overWebSocket }) },
});

/** As in every entry; this one needs nothing but `fetch`, and a WebSocket for sessions. */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
