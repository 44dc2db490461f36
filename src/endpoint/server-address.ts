import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { isSocketFolder } from "../decide/host.ts";
import { addressTable, complete } from "../decide/table.ts";
import { chooseTls, type TlsAddress } from "../decide/tls.ts";
import { parseUrl } from "../decide/url.ts";
import { ConfigError } from "../errors/errors.ts";
import type { EndpointListener } from "./endpoint-events.ts";

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
  readonly tell?: EndpointListener;
}

/** Who logs in to look whether the server is there. */
export interface ServerLogin {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Opens a connection to a server: over TCP, or to its socket where the host is a folder. */
export function openSocket({ host, port }: Pick<ServerAddress, "host" | "port">): Socket {
  return isSocketFolder(host) ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
}

/** Where a server is, as messages name it: `host:port`, with an IPv6 address in brackets. */
export function placeOf({ host, port }: Pick<ServerAddress, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Whether a listener on `host` can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
}

/**
 * Reads host, port and TLS from a database URL, as `createDatabase` does (docs/settings.md); its user, password and database serve no request.
 * @param setting the name under which it was given, for the error.
 * @throws {ConfigError} that never quotes the URL.
 */
export function parseServerAddress(databaseUrl: string, setting = "databaseUrl"): ServerAddress {
  const invalid = (message: string) => new ConfigError(`${setting} ${message}`, { code: "INVALID_SETTING", setting });
  const { given } = parseUrl(databaseUrl, setting);
  if (given.host === undefined) throw invalid("names no host. Write postgres://user:password@host:port/database.");
  if (given.host.includes(",")) throw invalid("names several hosts, and an endpoint stands in front of one. Name the primary.");
  const address = complete(addressTable, given) as unknown as TlsAddress & Pick<ServerAddress, "port">;
  const { mode, ca, warnings } = chooseTls(address);
  for (const warning of warnings) console.warn(`warmline: ${warning}`);
  return {
    host: address.host,
    port: address.port,
    tls: mode !== "disable" && { rejectUnauthorized: mode === "verify", ...(ca !== null && { ca: readCertificates(ca, invalid) }) },
  };
}

/** The login of a database URL; undefined where it leaves out who, or the password. */
export function parseServerLogin(databaseUrl: string): ServerLogin | undefined {
  const { user, password, database = user } = parseUrl(databaseUrl, "databaseUrl").given;
  if (typeof user !== "string" || typeof password !== "string" || typeof database !== "string") return undefined;
  return { user, password, database };
}

function readCertificates(file: string, invalid: (message: string) => ConfigError): string {
  try {
    return file.includes("-----BEGIN") ? file.replaceAll("\\n", "\n") : readFileSync(file, "utf8");
  } catch {
    throw invalid("names an sslrootcert file that cannot be read.");
  }
}
