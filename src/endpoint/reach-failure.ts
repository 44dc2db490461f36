/** Why the server was not reached, where it said nothing itself. */
export interface ReachFailure {
  /** The code that a client of the package gives it: docs/errors.md. */
  readonly code: "CONNECT_FAILED" | "CONNECT_TIMEOUT" | "TLS_FAILED";
  readonly reason: string;
  /** The system's own code, where there is one. */
  readonly systemCode: string | null;
}

/** A server that answered the request for encryption, or did not, in a way that ends the matter. */
export class ReachError extends Error implements ReachFailure {
  readonly code: ReachFailure["code"];
  readonly reason: string;
  readonly systemCode = null;

  constructor(code: ReachFailure["code"], reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}

/** Source: Node.js documentation, "Common system errors". */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ENOTFOUND: "no host has this name",
  EAI_AGAIN: "the name server does not answer",
  EHOSTUNREACH: "no way leads to this host",
  ENETUNREACH: "no way leads to this host",
  ETIMEDOUT: "it does not answer",
  ECONNRESET: "it closed the connection",
  EPIPE: "it closed the connection",
};

/** Codes of a certificate that was not accepted. Source: Node.js documentation, "X509 certificate error codes". */
const badCertificate = /CERT|SIGNATURE|^INVALID_(CA|PURPOSE)$|^HOSTNAME_MISMATCH$/;

/** Reads the failure of a connection that could not be opened. */
export function readReachFailure(error: unknown): ReachFailure {
  if (error instanceof ReachError) return error;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  // what is no code of the system's own is not shown
  const systemCode = typeof code === "string" && /^[A-Z][A-Z_\d]{2,50}$/.test(code) ? code : null;
  if (systemCode === null)
    return { code: "CONNECT_FAILED", reason: "it closed the connection, did not answer, or speaks no TLS", systemCode };
  if (badCertificate.test(systemCode)) return { code: "TLS_FAILED", reason: "its certificate was not accepted", systemCode };
  const reason = reasons[systemCode] ?? "connecting failed";
  return { code: systemCode === "ETIMEDOUT" ? "CONNECT_TIMEOUT" : "CONNECT_FAILED", reason, systemCode };
}

/** In words, with its codes. */
export function wordsOfReachFailure({ code, reason, systemCode }: ReachFailure): string {
  return `${reason} (${systemCode === null ? code : `${code}, ${systemCode}`})`;
}
