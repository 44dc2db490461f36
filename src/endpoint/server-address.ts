import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { addressTable, complete } from "../decide/table.ts";
import { chooseTls, type TlsAddress } from "../decide/tls.ts";
import { parseUrl } from "../decide/url.ts";
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
 * Reads host, port and TLS from a database URL, as `createDatabase` does (docs/settings.md); its user, password and database are not used.
 * @throws {ConfigError} that never quotes the URL.
 */
export function parseServerAddress(databaseUrl: string): ServerAddress {
  const { given } = parseUrl(databaseUrl, "databaseUrl");
  if (given.host === undefined) throw invalid("databaseUrl names no host. Write postgres://user:password@host:port/database.");
  if (given.host.includes(",")) throw invalid("databaseUrl names several hosts, and an endpoint stands in front of one. Name the primary.");
  const address = complete(addressTable, given) as unknown as TlsAddress & Pick<ServerAddress, "port">;
  const { mode, ca, warnings } = chooseTls(address);
  for (const warning of warnings) console.warn(`warmline: ${warning}`);
  return {
    host: address.host,
    port: address.port,
    tls: mode !== "disable" && { rejectUnauthorized: mode === "verify", ...(ca !== null && { ca: readCertificates(ca) }) },
  };
}

function readCertificates(file: string): string {
  try {
    return file.includes("-----BEGIN") ? file.replaceAll("\\n", "\n") : readFileSync(file, "utf8");
  } catch {
    throw invalid("databaseUrl names an sslrootcert file that cannot be read.");
  }
}

function invalid(message: string): ConfigError {
  return new ConfigError(message, { code: "INVALID_SETTING", setting: "databaseUrl" });
}
