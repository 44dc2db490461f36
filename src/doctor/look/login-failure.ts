import { placeOf } from "../../endpoint/server-address.ts";
import { conditionName } from "../../errors/condition.ts";
import { isWarmlineError } from "../../errors/errors.ts";
import { isErrorResponse } from "../../wire/error-response.ts";
import type { Configured } from "../evidence.ts";
import { reachHint } from "./reach.ts";
import { failed, type Looked } from "./unseen.ts";

/** What came is nothing that pg reads: another way to log in, or no Postgres. */
export class UnreadableAnswer extends Error {}

/** Why the login did not end, or how it was refused, and what changes that. @param late whether its time was over */
export function loginFailure(error: unknown, { settings, urlName, plan }: Configured, late: boolean): Looked<never> {
  const where = placeOf(settings.address);
  const network = reachHint(urlName);
  if (late) return failed("unreachable", `${where} did not answer in time: the login did not end.`, network, where);
  const iam = plan.capabilities.iam && settings.address.password === null;
  const change = iam
    ? "grant rds_iam to the role, and allow rds-db:connect (dsql:DbConnect) to the function's own role, whose credentials are to be here"
    : `${urlName}: user, password and database, percent-encoded`;
  // ours hold no value: no password, no credentials to sign a token with
  if (isWarmlineError(error)) return failed("login-refused", `${where}: ${error.message}`, change, where);
  if (error instanceof UnreadableAnswer) {
    const found = `${where} answers the login with what pg does not read: another way to log in (GSSAPI, Kerberos), or no Postgres.`;
    return failed("unreachable", found, `${urlName}: host and port; or a line in pg_hba.conf with scram-sha-256`, where);
  }
  if (!isErrorResponse(error)) return failed("unreachable", `${where}: the connection was lost during the login.`, network, where);
  const found = `${where} refuses the login: ${conditionName(error.code)} (${error.code}).`;
  return failed("login-refused", found, refusals[error.code] ?? change, where);
}

/** What ends a refusal that is not about who logs in. Source: PostgreSQL documentation, "PostgreSQL Error Codes". */
const refusals: Readonly<Record<string, string>> = {
  "53300":
    "a transaction pooler before the server, and fewer connections in each instance: warmline doctor budget. Who holds them a login sees that may take a reserved slot (--url): a superuser, or one with pg_use_reserved_connections",
  "57P03": "wait: the server starts, stops or recovers",
};
