import type { Socket } from "node:net";

/** How long an end that was announced may take before the connection is cut off. */
export const GOODBYE_MS = 1_000;

/** Postgres' Terminate. Source: PostgreSQL documentation, message formats. */
export const TERMINATE: Buffer = Buffer.from([0x58, 0, 0, 0, 4]);

/**
 * Ends a connection to the server with `last`, and reads away what still comes, so that its close tells that the server's end of it is gone too:
 * a connection that is cut off leaves a backend behind that nobody counts. After a second it is cut off all the same.
 */
export function sayGoodbye(stream: Socket, last: Buffer = Buffer.alloc(0)): void {
  if (stream.destroyed) return;
  stream.removeAllListeners("data");
  stream.resume();
  stream.end(last);
  const timer = setTimeout(() => stream.destroy(), GOODBYE_MS);
  stream.once("close", () => clearTimeout(timer));
}
