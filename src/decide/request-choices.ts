import type { Address } from "./address.ts";
import { refusal } from "./refuse.ts";
import { everyServer } from "./servers.ts";
import { chooseTls } from "./tls.ts";
import type { PlanInput, PoolSize, TransportChoice } from "./transport-choice.ts";

/** Hyperdrive, over a socket that ends with its request. It stands before every other way. */
export const overHyperdrive: TransportChoice = {
  name: "request",
  fits: ({ tcp }, { name }) => tcp && name === "hyperdrive",
  reason: "a socket ends with its request here",
  size: sizeRequest,
};

/** Any Postgres, over a socket that ends with its request. It stands after every other way. */
export const perRequest: TransportChoice = { ...overHyperdrive, fits: ({ tcp }) => tcp };

/** Sockets one request may have open at once. Source: Cloudflare's documentation, "Simultaneous open connections". */
const MAX_SOCKETS = 6;

/**
 * Says what one request holds at most, and what to warn of.
 * @throws {ConfigError} for settings of TLS that a worker's sockets do not know.
 */
function sizeRequest({ settings }: PlanInput): PoolSize {
  const { max, address } = settings;
  if (address.auth === "iam") throw refusal("auth", "left out: nothing signs IAM tokens here; a password function may give one");
  const warnings = everyServer(settings).flatMap(warningsOf);
  return {
    max: Math.min(max ?? MAX_SOCKETS, MAX_SOCKETS),
    min: 0,
    idleTimeoutMs: 0,
    warnings: [...new Set(warnings)],
    reasons: { max: "the sockets of one request", idleTimeoutMs: "it ends with its request" },
  };
}

function warningsOf(address: Address): readonly string[] {
  const { mode, ca, negotiation, warnings } = chooseTls(address);
  const unknown =
    mode === "no-verify"
      ? "sslMode"
      : ca !== null
        ? "ca"
        : address.cert !== null
          ? "cert"
          : negotiation === "direct"
            ? "sslNegotiation"
            : address.channelBinding === "require"
              ? "channelBinding"
              : null;
  if (unknown !== null) throw refusal(unknown, "left out: sockets here verify by the platform's certificates, and know nothing else");
  return warnings;
}
