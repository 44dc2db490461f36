import { isUnavailable } from "../delivery/outage.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import type { Result, TransportName } from "../transports/transport.ts";
import type { QueryOptions } from "./options.ts";

/** The caller's own rows for a query that failed, as a result that says so. @throws the failure, where it is no reason to fall back */
export async function fallBack(
  failure: unknown,
  { fallback, transport }: { readonly fallback: NonNullable<QueryOptions["fallback"]>; readonly transport: TransportName },
): Promise<Result> {
  if (!isWarmlineError(failure) || !isUnavailable(failure)) throw failure;
  const given: unknown = await fallback(failure);
  const rows = look(() => (Array.isArray(given) ? ([...given] as Result["rows"]) : undefined), undefined);
  if (rows === undefined) throw new UsageError("The option fallback must give an array of rows.", { code: "INVALID_OPTION" });
  const via = { transport, connectionId: null, reused: null, attempts: 0, fallback: true } as const;
  return { rows, rowCount: rows.length, command: null, fields: [], via };
}
