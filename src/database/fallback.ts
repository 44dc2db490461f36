import { type Ends, makeDeadline } from "../delivery/deadline.ts";
import { isUnavailable } from "../delivery/outage.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import type { Clock, Result, TransportName } from "../transports/transport.ts";
import type { QueryOptions } from "./options.ts";

/** How long rows are waited for where the call's time is over or nearly so, milliseconds: as long as for the answer of a cancelled statement. */
const LEAST_MS = 250;

/** What a query falls back to, and until when. */
export interface Falling {
  readonly fallback: NonNullable<QueryOptions["fallback"]>;
  readonly transport: TransportName;
  readonly clock: Clock;
  /** What ends the call, which began then. */
  readonly ends: Ends;
  readonly beganAt: number;
}

/**
 * The caller's own rows for a query that failed, as a result that says so. @throws the failure, where it is no reason to fall back, or no rows come
 * in time
 */
export async function fallBack(failure: unknown, { fallback, transport, clock, ends, beganAt }: Falling): Promise<Result> {
  if (!isWarmlineError(failure) || !isUnavailable(failure)) throw failure;
  const { deadlineMs, signal, endAt = Number.POSITIVE_INFINITY } = ends;
  const now = clock.now();
  const leftMs = Math.max(Math.min(deadlineMs, beganAt + deadlineMs - now, endAt - now), LEAST_MS);
  const limit = makeDeadline(clock, { deadlineMs: leftMs, signal });
  const ended = new Promise<never>((_, reject) => {
    // what cannot be had now was not applied
    limit.onCancel(() => reject(signal?.aborted ? limit.reason?.(failure.fate as "unknown") : failure));
  });
  const ask = async () => (limit.reason ? ended : fallback(failure));
  const given: unknown = await Promise.race([ended, ask()]).finally(() => limit.dispose());
  const rows = look(() => (Array.isArray(given) ? ([...given] as Result["rows"]) : undefined), undefined);
  if (rows === undefined) throw new UsageError("The option fallback must give an array of rows.", { code: "INVALID_OPTION" });
  const via = { transport, connectionId: null, reused: null, attempts: 0, fallback: true } as const;
  return { rows, rowCount: rows.length, command: null, fields: [], via };
}
