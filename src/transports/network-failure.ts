import { ConnectionError } from "../errors/errors.ts";
import { isNotPermitted } from "../errors/not-permitted.ts";
import { redactedCause } from "../errors/redact.ts";

/** The other end of a connection that failed. */
export interface Peer {
  /** `host:port`, for the message. */
  readonly where: string;
  /** Blanked in the cause. */
  readonly secrets?: readonly string[];
}

/** Nothing answers there. */
export function unreachable(failure: unknown, { where, secrets }: Peer): ConnectionError {
  const cause = redactedCause(failure, secrets);
  const told = cause && "code" in cause ? ` (${cause.code})` : "";
  return new ConnectionError(`Connecting to ${where} failed${told}. Check host, port and network rules.`, {
    code: "CONNECT_FAILED",
    fate: "not-sent",
    retryable: true,
    cause,
  });
}

/** What a runtime's own code tells of a connection that could not be opened; undefined where it tells nothing. */
export type ReadNetworkCode = (failure: unknown, peer: Peer) => ConnectionError | undefined;

/**
 * Codes of names, routes and connecting. Some of them also come out of a connection that has long been there.
 * Sources: Node.js documentation, "Common system errors"; undici, "Errors"; Bun.
 */
const notReached = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;

/** Those that nothing but connecting gives: names, undici's own limit, Bun's own word. */
const onlyConnecting = /^(ENOTFOUND|EAI_AGAIN|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;

/** System calls before a connection is there. Source: Node.js documentation, `error.syscall`. */
const openingCalls = /^(connect|getaddrinfo)$/;

/** OpenSSL's code of a peer that answered a handshake with something else. */
const NO_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";

/** Codes of a certificate that was not accepted, which no second attempt changes. Source: Node.js documentation, "X509 certificate error codes". */
const badCertificate = /CERT|SIGNATURE|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/;

/**
 * Reads the codes of Node, undici and Bun, of a failure that came while a connection was opened. Edge runtimes give none, so their builds go
 * without.
 */
export const readNetworkCode: ReadNetworkCode = (failure, peer) => {
  if (isNotPermitted(failure)) {
    return new ConnectionError(`Deno has no permission to connect to ${peer.where}. Run it with --allow-net=${peer.where}.`, {
      code: "NOT_PERMITTED",
      fate: "not-sent",
    });
  }
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  if (notReached.test(code)) return unreachable(failure, peer);
  if (code !== NO_TLS && !badCertificate.test(code)) return undefined;
  const told =
    code === NO_TLS
      ? `${peer.where} does not speak TLS. Check host and port.`
      : `The certificate of ${peer.where} was not accepted (${code}). Trust its authority (the ca setting), and use the name it was made for.`;
  return new ConnectionError(told, { code: "TLS_FAILED", fate: "not-sent", cause: redactedCause(failure, peer.secrets) });
};

/** The same for a failure of which only itself says when it came: what may also come out of an open connection tells nothing. */
export const readOpeningFailure: ReadNetworkCode = (failure, peer) => (isOfOpening(failure) ? readNetworkCode(failure, peer) : undefined);

/** Whether a failure itself says that there was no connection yet. */
function isOfOpening(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false;
  if (isNotPermitted(failure)) return true;
  // of several addresses: the code is the first one's, and the call is each one's own
  if (failure instanceof AggregateError) return failure.errors.length > 0 && failure.errors.every(isOfOpening);
  const { code, syscall } = failure as NodeJS.ErrnoException;
  if (syscall !== undefined) return openingCalls.test(syscall);
  // a peer's complaint has a code of OpenSSL's, and with TLS 1.3 it comes when the request has left
  return onlyConnecting.test(String(code)) || (badCertificate.test(String(code)) && !String(code).startsWith("ERR_SSL_"));
}
