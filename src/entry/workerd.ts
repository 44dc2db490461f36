import type { Database } from "../database/database.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import { overHttp } from "../decide/transport-choice.ts";
import { databaseOn } from "./create.ts";
import { heldWorkLate, statusReaderLate } from "./load-late.ts";
import { makeHttp } from "./make-http.ts";
import { overWebSocket } from "./make-sessions.ts";
import { workerdPlatform } from "./workerd-platform.ts";

export * from "./public.ts";

const create = databaseOn({
  ...workerdPlatform,
  heldWork: heldWorkLate,
  available: () => ({ choices: [overHttp], webSocket: true }),
  transports: { http: (input) => makeHttp(input, { statusReader: statusReaderLate, openSessions: overWebSocket }) },
});

/** As in every entry; bindings are read at the first call, never when the module is loaded. */
export function createDatabase(options?: DatabaseOptions | string): Database {
  return create(options);
}
