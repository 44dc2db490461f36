import { ConnectionError } from "../errors/errors.ts";
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

/** What a runtime's own code tells of a connection that failed; undefined where it tells nothing. */
export type ReadNetworkCode = (failure: unknown, peer: Peer) => ConnectionError | undefined;

/**
 * Codes that say the request never left: names, routes, connecting.
 * Sources: Node.js documentation, "Common system errors"; undici, "Errors"; Bun.
 */
const neverLeft = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ConnectionRefused)$/;

/** OpenSSL's code of a peer that answered a handshake with something else. */
const NO_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";

/** Codes of a certificate that was not accepted, which no second attempt changes. Source: Node.js documentation, "X509 certificate error codes". */
const badCertificate = /CERT|SIGNATURE|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/;

/** Reads the codes of Node, undici and Bun. Edge runtimes give none, so their builds go without. */
export const readNetworkCode: ReadNetworkCode = (failure, peer) => {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  if (neverLeft.test(code)) return unreachable(failure, peer);
  if (code !== NO_TLS && !badCertificate.test(code)) return undefined;
  const told =
    code === NO_TLS
      ? `${peer.where} does not speak TLS. Check host and port.`
      : `The certificate of ${peer.where} was not accepted (${code}). Trust its authority (the ca setting), and use the name it was made for.`;
  return new ConnectionError(told, { code: "TLS_FAILED", fate: "not-sent", cause: redactedCause(failure, peer.secrets) });
};
