import type { Address } from "./address.ts";
import { HYPERDRIVE_HOST, isBelowLocalhost, isLoopback, isSocketFolder } from "./host.ts";
import { refusal } from "./refuse.ts";

/** How a connection over a socket is encrypted. Drivers see this, never an `sslmode`. */
export interface TlsChoice {
  /** `verify` checks the chain and the host name. */
  readonly mode: "disable" | "verify" | "no-verify";
  /** Certificates to trust, in PEM; null for the runtime's own store. */
  readonly ca: string | null;
  readonly negotiation: "postgres" | "direct";
  /** Whether SCRAM is bound to the TLS connection where the server offers it. */
  readonly channelBinding: boolean;
  /** What the user should know and nothing refuses. */
  readonly warnings: readonly string[];
}

/** What of an address says so. */
export type TlsAddress = Pick<Address, "host" | "sslMode" | "ca" | "cert" | "sslNegotiation" | "channelBinding">;

/**
 * Decides how a connection over a socket is encrypted. Unset means plain text on this machine and inside Hyperdrive, where nothing leaves the
 * process's own host, and verified TLS everywhere else. Over HTTP none of this is asked: there the platform verifies.
 * @throws {ConfigError} where the settings contradict each other.
 */
export function chooseTls({ host, sslMode, ca, cert, sslNegotiation: negotiation, channelBinding }: TlsAddress): TlsChoice {
  const near = isLoopback(host) || isSocketFolder(host) || HYPERDRIVE_HOST.test(host);
  const needsTls = ca !== null ? "ca" : cert !== null ? "cert" : negotiation === "direct" ? "sslNegotiation" : null;
  const wanted = sslMode ?? (near && needsTls === null ? "disable" : "require");
  const mode = wanted === "disable" || wanted === "no-verify" ? wanted : "verify";
  if (mode === "disable" && needsTls !== null) throw refusal(needsTls, "without sslMode disable; leave one out");
  if (mode !== "disable" && isSocketFolder(host)) {
    throw refusal("sslMode", "unset for a Unix socket, which has no TLS; leave sslMode, ca, cert and sslNegotiation out");
  }
  if (channelBinding === "require" && mode !== "verify") {
    throw refusal("channelBinding", "prefer or disable without verified TLS; or write sslmode=require");
  }
  const warnings: string[] = [];
  if (mode === "no-verify") {
    warnings.push("TLS is not verified (sslmode no-verify): anyone on the way can read along. Give the certificate in ca instead.");
  }
  if (mode === "disable" && !near) {
    warnings.push("The connection is not encrypted (sslmode disable): anyone on the way can read along. Write sslmode=require.");
  }
  return { mode, ca, negotiation, channelBinding: channelBinding !== "disable" && mode !== "disable", warnings };
}

/**
 * What to warn of where a process connects by itself. There a name below `localhost` or `hyperdrive.local` goes out in plain text too, and is no
 * more than what a name server, or anybody on the local network, says it is; inside a worker Hyperdrive answers to its own.
 */
export function tlsWarningsOutsideWorkers(address: Address): readonly string[] {
  const { mode, warnings } = chooseTls(address);
  if (mode !== "disable" || !(isBelowLocalhost(address.host) || HYPERDRIVE_HOST.test(address.host))) return warnings;
  return [
    "The connection is not encrypted, and its host name is this machine's only if a name server says so. Write localhost or sslmode=require.",
  ];
}
