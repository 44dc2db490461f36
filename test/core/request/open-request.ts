import type { Database, DatabaseOptions } from "../../../src/entry/node.ts";
import { createRequestDatabase } from "../../faults/subjects/request-database.ts";
import { urlAt } from "../databases.ts";

/** A database on the transport for Workers, over Node's sockets; no call waits for longer than ten seconds. */
export function openRequest(options: DatabaseOptions = {}): Database {
  return createRequestDatabase({ url: urlAt(), deadlineMs: 10_000, ...options });
}
