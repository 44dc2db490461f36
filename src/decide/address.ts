import { Secret } from "../errors/redact.ts";
import type { DatabaseOptions, PasswordSource } from "./options.ts";
import { invalidSetting, missingSetting } from "./refuse.ts";
import type { Parts } from "./spellings.ts";
import { chooseTls, type TlsChoice } from "./tls.ts";
import { parseUrl } from "./url.ts";

/** Where Postgres is, and how to log in. */
export interface Address {
  /** Host name, IP address without brackets, or, with a leading `/`, the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Null where none is given. */
  readonly password: Secret<PasswordSource> | null;
  readonly tls: TlsChoice;
  /** Whether SCRAM is bound to the TLS connection where the server offers it. */
  readonly channelBinding: boolean;
}

/** An address, and what the user should know about it. */
export interface CheckedAddress {
  readonly address: Address;
  readonly warnings: readonly string[];
}

/** Postgres' own port. */
export const DEFAULT_PORT = 5432;

const give = (option: string, variable: string): string => `write it into the URL, the option ${option} or the variable ${variable}`;

/**
 * Makes an address of the pieces that were given.
 * @throws {ConfigError} where host, user or database is missing, or pieces do not go together.
 */
export function completeAddress(pieces: Parts): CheckedAddress {
  const { host, user, database, password, sslMode, channelBinding = "disable" } = pieces;
  if (host === undefined) throw missingSetting("host", give("host", "PGHOST"));
  if (user === undefined) throw missingSetting("user", give("user", "PGUSER"));
  if (database === undefined) {
    throw missingSetting("database", give("database", "PGDATABASE"));
  }
  const { tls, warnings } = chooseTls({ host, sslMode, ca: pieces.ca, negotiation: pieces.sslNegotiation });
  if (channelBinding === "require" && tls.mode !== "verify") {
    throw invalidSetting("channelBinding", "require needs verified TLS; add sslmode=require");
  }
  const secret = password === undefined ? null : new Secret(password);
  Object.freeze(secret);
  const address = Object.freeze({
    host,
    port: pieces.port ?? DEFAULT_PORT,
    database,
    user,
    password: secret,
    tls,
    channelBinding: channelBinding !== "disable" && tls.mode !== "disable",
  });
  return { address, warnings };
}

/** Parameters a `directUrl` may hold; all others belong to the main URL. */
const ownPieces: readonly string[] = ["host", "port", "user", "password", "database", "sslMode", "sslNegotiation", "channelBinding"];

/**
 * The address of a `directUrl`. What it leaves out is taken from the main address, save the port, the encryption, and the password of
 * another user.
 */
export function directAddress(options: DatabaseOptions & { readonly directUrl: string }, main: Address): CheckedAddress {
  const parts = parseUrl(options.directUrl, "directUrl");
  if (Object.keys(parts).some((piece) => !ownPieces.includes(piece))) {
    throw invalidSetting("directUrl", "it may hold only sslmode, sslnegotiation, channel_binding, host and port; move the rest to url");
  }
  const user = parts.user ?? main.user;
  const password = parts.password ?? (user === main.user ? main.password?.reveal() : undefined);
  return completeAddress({
    host: main.host,
    database: main.database,
    sslMode: options.sslMode,
    sslNegotiation: options.sslNegotiation,
    ca: options.ca,
    ...parts,
    user,
    password,
  });
}
