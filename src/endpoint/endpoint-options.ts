import { ConfigError } from "../errors/errors.ts";
import type { EndpointListener } from "./endpoint-events.ts";
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
  /** Called for every request that was answered and every connection that was opened: {@link EndpointEvent}. None by default: it is silent. */
  readonly onEvent?: EndpointListener;
}

/** What the options are called where they were given: the names of flags and variables. What is left out has its own name. */
export type OptionNames = Partial<Record<keyof EndpointOptions, string>>;

/** The options, complete and checked. */
export interface EndpointSettings {
  readonly address: ServerAddress;
  readonly port: number;
  readonly host: string;
  readonly token: string | undefined;
  readonly maxRequestBytes: number;
  readonly maxResponseBytes: number;
  readonly onEvent: EndpointListener | undefined;
  readonly names: OptionNames;
}

const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/** Checks the options and fills in the defaults. Throws a ConfigError that names the option and never quotes it. */
export function readEndpointOptions(options: EndpointOptions, names: OptionNames = {}): EndpointSettings {
  const { port = 4444, host = "127.0.0.1", token, maxRequestBytes = DEFAULT_MAX_BYTES, maxResponseBytes = DEFAULT_MAX_BYTES } = options;
  const invalid = (option: keyof EndpointOptions, told: (name: string) => string) => {
    const setting = names[option] ?? option;
    return new ConfigError(told(setting), { code: "INVALID_SETTING", setting });
  };
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid("port", (name) => `${name} must be a whole number from 0 to 65535.`);
  }
  if (token === "") throw invalid("token", (name) => `${name} is empty. Give it a value, or leave it out and listen on loopback.`);
  if (!isLoopback(host) && token === undefined) {
    const add = names.token === undefined ? "a token" : names.token;
    throw invalid("host", () => `The endpoint listens on loopback only, unless it is given a token. Add ${add}, or use 127.0.0.1.`);
  }
  for (const option of ["maxRequestBytes", "maxResponseBytes"] as const) {
    const value = { maxRequestBytes, maxResponseBytes }[option];
    if (!Number.isInteger(value) || value < 1) throw invalid(option, (name) => `${name} must be a whole number of bytes, 1 or more.`);
  }
  const { onEvent } = options;
  if (onEvent !== undefined && typeof onEvent !== "function") throw invalid("onEvent", (name) => `${name} must be a function.`);
  const address = parseServerAddress(options.databaseUrl, names.databaseUrl);
  return { address, port, host, token, maxRequestBytes, maxResponseBytes, onEvent, names };
}
