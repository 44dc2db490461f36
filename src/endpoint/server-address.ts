import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { ConfigError } from "../errors/errors.ts";

/** The one Postgres server an endpoint stands in front of. Who logs in, and where, comes with each request. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** TLS options, or false for plain text. */
  readonly tls: ConnectionOptions | false;
}

/** A server, and the signal that the endpoint is stopping: logins that still wait for it are then given up. */
export interface ServerAccess extends ServerAddress {
  readonly stopping: AbortSignal;
}

/** Whether a listener on `host` can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}

/**
 * Reads host, port and TLS from a database URL; its user, password and database are not used. `sslmode` means what it means in docs/settings.md:
 * `disable` plain text, `require`, `verify-ca` and `verify-full` verified TLS, `no-verify` TLS without a check, which is said in a warning;
 * `allow` and `prefer` are refused, for they fall back to plain text in silence; without one, TLS is verified unless the host is loopback. `sslrootcert` names a file of PEM certificates. Throws a ConfigError that never quotes the URL.
 */
export function parseServerAddress(databaseUrl: string): ServerAddress {
  const url = URL.parse(databaseUrl);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw invalid("databaseUrl is not a URL of the form postgres://user:password@host:port/database.");
  }
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "") throw invalid("databaseUrl names no host. Write postgres://user:password@host:port/database.");
  return { host, port: url.port === "" ? 5432 : Number(url.port), tls: readTls(url.searchParams, host) };
}

function readTls(parameters: URLSearchParams, host: string): ConnectionOptions | false {
  const mode = parameters.get("sslmode") ?? (isLoopback(host) ? "disable" : "verify-full");
  switch (mode) {
    case "disable":
      return false;
    case "no-verify":
    case "require":
    case "verify-ca":
    case "verify-full": {
      const file = parameters.get("sslrootcert");
      if (mode === "no-verify") {
        console.warn("warmline: TLS to Postgres is not verified (sslmode no-verify): anyone on the way can read along.");
      }
      return { rejectUnauthorized: mode !== "no-verify", ...(file !== null && { ca: readCertificates(file) }) };
    }
    default:
      throw invalid("databaseUrl has an sslmode that is not taken. Use disable, require, verify-full or no-verify.");
  }
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw invalid("databaseUrl names an sslrootcert file that cannot be read.");
  }
}

function invalid(message: string): ConfigError {
  return new ConfigError(message, { code: "INVALID_SETTING", setting: "databaseUrl" });
}
