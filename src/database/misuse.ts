import { UsageError } from "../errors/errors.ts";
import type { Transport } from "../transports/transport.ts";

/** Refuses work on a held connection where none can be had. @throws UsageError NO_SESSION */
export function requireSession(transport: Transport): void {
  if (!transport.can.session)
    throw new UsageError(
      'No sessions without WebSocket, and none from warmline/http. Use db.batch(), or import createDatabase from "warmline".',
      { code: "NO_SESSION" },
    );
}

/** Refuses what is to be run with a connection and is no function. @throws UsageError INVALID_OPTION */
export function checkWork(work: unknown): void {
  if (typeof work === "function") return;
  throw new UsageError("The work of a transaction or session is a function.", { code: "INVALID_OPTION" });
}
