import { isHyperdrive, isLoopback, isSocketFolder } from "./host.ts";
import { invalidSetting } from "./refuse.ts";

/** How a connection is encrypted. Drivers see this, never an `sslmode`. */
export interface TlsChoice {
  /** `verify` checks the chain and the host name. */
  readonly mode: "disable" | "verify" | "no-verify";
  /** Certificates to trust, in PEM; null for the runtime's own store. */
  readonly ca: string | null;
  readonly negotiation: "postgres" | "direct";
}

/** What each `sslmode` means here, whatever it means to a driver. `allow` and `prefer`, which fall back to plain text in silence, are refused. */
export const sslModes = {
  disable: "disable",
  "no-verify": "no-verify",
  require: "verify",
  "verify-ca": "verify",
  "verify-full": "verify",
} as const satisfies Readonly<Record<string, TlsChoice["mode"]>>;

/** The modes a setting may ask for. */
export type SslMode = keyof typeof sslModes;

/** What is known of a connection's encryption before anything is decided. */
export interface TlsWishes {
  readonly host: string;
  readonly sslMode: SslMode | undefined;
  readonly ca: string | undefined;
  readonly negotiation: "postgres" | "direct" | undefined;
}

/**
 * Decides how a connection is encrypted, and what to warn of. Unset means plain text on this machine and inside Hyperdrive, where nothing
 * leaves the process's own host, and verified TLS everywhere else.
 */
export function chooseTls(wishes: TlsWishes): { readonly tls: TlsChoice; readonly warnings: readonly string[] } {
  const { host, ca, negotiation = "postgres" } = wishes;
  const near = isLoopback(host) || isSocketFolder(host) || isHyperdrive(host);
  const mode =
    wishes.sslMode === undefined
      ? near && ca === undefined && negotiation === "postgres"
        ? "disable"
        : "verify"
      : sslModes[wishes.sslMode];
  if (mode === "disable" && ca !== undefined) throw invalidSetting("ca", "it contradicts sslMode disable; leave one out");
  if (mode === "disable" && negotiation === "direct") {
    throw invalidSetting("sslNegotiation", "direct contradicts sslMode disable; leave one out");
  }
  if (mode !== "disable" && isSocketFolder(host)) {
    throw invalidSetting("sslMode", "a Unix socket has no TLS; leave sslMode, ca and sslNegotiation out");
  }
  const warnings: string[] = [];
  if (mode === "no-verify") {
    warnings.push("TLS is not verified (sslmode no-verify): anyone on the way can read along. Give the certificate in ca instead.");
  }
  if (mode === "disable" && !near) {
    warnings.push("The connection is not encrypted (sslmode disable): anyone on the way can read along. Write sslmode=require.");
  }
  return { tls: Object.freeze({ mode, ca: ca ?? null, negotiation }), warnings };
}
