import { DatabaseError, type ServerReport, serverFieldNames } from "../errors/database-error.ts";
import { endsConnection, isPermanentLoginFailure } from "../errors/sqlstate.ts";

/** A failed answer's body, whatever it holds. */
export type AnswerBody = { readonly [Name in keyof ServerReport]?: unknown };

/**
 * SQLSTATEs that Postgres gives at severity FATAL while somebody logs in, and never to a statement that runs: authorization, no such database,
 * rights, startup parameters, the protocol, no slot, not accepting connections, starting. A function raises them as an ERROR.
 * Source: PostgreSQL 18, `auth.c`, `postinit.c`, `proc.c`, `backend_startup.c`; an ERROR is the most that SQL can raise.
 */
const saidAtLoginAlone = /^(28|3D|42|22|0A)|^(53300|55000|57P03)$/;

/**
 * What Neon's proxy says in its own words, without a code, of a login that it refuses or that did not reach Postgres, and the SQLSTATE that says
 * the same. This is the one place where words are read: a connection that was lost under a statement has the same shape at 400 ("connection
 * closed", "error communicating with the server: …"), and only its words are others. So these are read as a beginning, at their own status,
 * in a body of Neon's 17 keys without a code, and for nothing but to tell that a login was refused.
 * Source: neondatabase/neon, `proxy/src/auth/mod.rs`, `proxy/src/serverless/{backend,error,sql_over_http}.rs`,
 * `proxy/src/control_plane/errors.rs`, `libs/proxy/tokio-postgres2/src/error/mod.rs`.
 */
const wordsOfNeonsProxy: readonly (readonly [status: number, beginning: RegExp, sqlState: string])[] = [
  [400, /^password authentication failed for user /, "28P01"],
  [
    400,
    /^(missing authentication credentials: |This (IP address|VPC endpoint id) |This connection is trying to access this endpoint )/,
    "28000",
  ],
  [400, /^(VPC endpoint ID|Endpoint ID) is not specified/, "28000"],
  [500, /^(Too many connections |Failed to acquire permit )/, "53300"],
  [500, /^(Control plane request failed|Couldn't connect to compute node)/, "08001"],
  // at 400 the last two are said of a statement: at 500 the proxy was connecting
  [500, /^(timeout waiting for server|error (connecting to|communicating with the) server|connection closed)/, "08001"],
];

/**
 * What was said of a login that was refused, by the phase that the answer shows; undefined where it does not show that. At 500 Neon's proxy
 * hands on a server's FATAL only of a login: of a statement it comes with 400. Source: `SqlOverHttpError::get_http_status_code`.
 */
export function refusedLogin(status: number, body: AnswerBody): ServerReport | undefined {
  const { code, message, severity } = body;
  if ((status !== 400 && status !== 500) || typeof code !== "string" || typeof message !== "string") return undefined;
  if (typeof severity === "string" && endsConnection(severity) && /^[0-9A-Z]{5}$/.test(code)) {
    return saidAtLoginAlone.test(code) || (status === 500 && isOfNeon(body)) ? (body as ServerReport) : undefined;
  }
  if (code !== "" || !isOfNeon(body)) return undefined;
  const words = wordsOfNeonsProxy.find(([where, beginning]) => where === status && beginning.test(message));
  return words && { message, code: words[2], severity: "FATAL" };
}

/** Whether it has the 17 keys of an error that Neon's proxy writes, and the local endpoint after it. */
function isOfNeon(body: AnswerBody): boolean {
  return serverFieldNames.every((name) => name in body);
}

/** The error of a login that was refused, as over a connection of one's own: nothing was sent. */
export function loginFailure(report: ServerReport, { passwordIsFunction }: { readonly passwordIsFunction: boolean }): DatabaseError {
  const another = passwordIsFunction && report.code.startsWith("28");
  return new DatabaseError(report, { fate: "not-sent", retryable: another || !isPermanentLoginFailure(report.code) });
}
