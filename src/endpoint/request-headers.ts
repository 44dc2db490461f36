import type { IncomingHttpHeaders } from "node:http";
import { badRequest } from "./request-failure.ts";

/** What a request's headers ask for. Only the exact value `true` switches a flag on. */
export interface RequestModes {
  /** Values as Postgres' text, not as JSON. */
  readonly rawText: boolean;
  /** Rows as arrays; a query's own `arrayMode` goes before it. */
  readonly arrayMode: boolean;
  /** `Neon-Batch-Isolation-Level` as it came; undefined for the server's default. */
  readonly isolationLevel: IsolationLevel | undefined;
  readonly readOnly: boolean;
  readonly deferrable: boolean;
}

const ISOLATION_SQL = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
} as const;

/** The values of `Neon-Batch-Isolation-Level`. */
type IsolationLevel = keyof typeof ISOLATION_SQL;

/**
 * Every header of the protocol that a browser has to be allowed to send. `Neon-Pool-Opt-In` is accepted and changes nothing: connections are
 * always kept.
 */
export const REQUEST_HEADER_NAMES =
  "Authorization, Content-Type, Neon-Connection-String, Neon-Raw-Text-Output, Neon-Array-Mode, Neon-Pool-Opt-In, " +
  "Neon-Batch-Isolation-Level, Neon-Batch-Read-Only, Neon-Batch-Deferrable";

/** Reads the modes. Throws a 400 for an isolation level that does not exist. */
export function readModes(headers: IncomingHttpHeaders): RequestModes {
  const level = headers["neon-batch-isolation-level"];
  if (level !== undefined && !isIsolationLevel(level)) throw badRequest("invalid isolation level");
  return {
    rawText: headers["neon-raw-text-output"] === "true",
    arrayMode: headers["neon-array-mode"] === "true",
    isolationLevel: level,
    readOnly: headers["neon-batch-read-only"] === "true",
    deferrable: headers["neon-batch-deferrable"] === "true",
  };
}

/** The BEGIN of a batch. */
export function beginStatement(modes: RequestModes): string {
  const words = ["BEGIN"];
  if (modes.isolationLevel !== undefined) words.push("ISOLATION LEVEL", ISOLATION_SQL[modes.isolationLevel]);
  if (modes.readOnly) words.push("READ ONLY");
  if (modes.deferrable) words.push("DEFERRABLE");
  return words.join(" ");
}

/** The headers a batch's answer repeats. */
export function batchResponseHeaders(modes: RequestModes): Readonly<Record<string, string>> {
  return {
    ...(modes.readOnly ? { "Neon-Batch-Read-Only": "true" } : {}),
    ...(modes.deferrable ? { "Neon-Batch-Deferrable": "true" } : {}),
    ...(modes.isolationLevel === undefined ? {} : { "Neon-Batch-Isolation-Level": modes.isolationLevel }),
  };
}

function isIsolationLevel(value: string | string[]): value is IsolationLevel {
  return typeof value === "string" && Object.hasOwn(ISOLATION_SQL, value);
}
