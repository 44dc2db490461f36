import { UsageError } from "../errors/errors.ts";
import type { Transport } from "../transports/transport.ts";

/** The error of a call on the database from inside the callback of one of its own transactions. */
export function nestedCall(): UsageError {
  return new UsageError("This call goes around its transaction. Use tx.", { code: "NESTED_QUERY" });
}

/** Refuses work on a held connection where none can be had. @throws UsageError NO_SESSION */
export function requireSession(transport: Transport): void {
  if (!transport.can.session) throw new UsageError("No sessions without WebSocket. Use db.batch().", { code: "NO_SESSION" });
}
