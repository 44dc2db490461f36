import { ConfigError } from "../errors/errors.ts";
import { isLoopback, parseServerAddress, type ServerAddress } from "./server-address.ts";

/** How to start an endpoint. */
export interface EndpointOptions {
  /** The server to stand in front of: host, port and TLS (`sslmode`, `sslrootcert`). Its user, password and database are not used. */
  readonly databaseUrl: string;
  /** 4444 by default; 0 for any free port. */
  readonly port?: number;
  /** 127.0.0.1 by default. Anything but loopback needs a token. */
  readonly host?: string;
  /** When given, every request needs `Authorization: Bearer <token>`; only the CORS preflight does not. */
  readonly token?: string;
  /** 64 MiB by default, as Neon documents. A larger request is answered with 413. */
  readonly maxRequestBytes?: number;
  /** 64 MiB by default, as Neon documents. A larger response is answered with 507. */
  readonly maxResponseBytes?: number;
}

/** The options, complete and checked. */
export interface EndpointSettings {
  readonly address: ServerAddress;
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Checks the options and fills in the defaults. Throws a ConfigError that names the option and never quotes it. */
export function readEndpointOptions(options: EndpointOptions): EndpointSettings {
  const { port = 4444, host = "127.0.0.1", token, maxRequestBytes = DEFAULT_MAX_BYTES, maxResponseBytes = DEFAULT_MAX_BYTES } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw invalid("port", "port must be a whole number from 0 to 65535.");
  if (token === "") throw invalid("token", "token is empty. Give it a value, or leave it out and listen on loopback.");
  if (!isLoopback(host) && token === undefined) {
    throw invalid("host", "The endpoint listens on loopback only, unless it is given a token. Add a token, or use 127.0.0.1.");
  }
  for (const [name, value] of Object.entries({ maxRequestBytes, maxResponseBytes })) {
    if (!Number.isInteger(value) || value < 1) throw invalid(name, `${name} must be a whole number of bytes, 1 or more.`);
  }
  return { address: parseServerAddress(options.databaseUrl), port, host, token, maxRequestBytes, maxResponseBytes };
}

function invalid(setting: string, message: string): ConfigError {
  return new ConfigError(message, { code: "INVALID_SETTING", setting });
}
