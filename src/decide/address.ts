import { Secret } from "../errors/redact.ts";
import type { DatabaseOptions, PasswordSource, SessionAttrs, SslMode } from "./options.ts";
import { refusal } from "./refuse.ts";
import { addressTable, complete, type GivenSettings } from "./table.ts";
import { parseUrl } from "./url.ts";

/** Where a server is. */
export interface Place {
  /** Host name, IP address without brackets, or, with a leading `/`, the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
}

/** Where Postgres is, and how to log in: every setting of an address, given or by default. */
export interface Address extends Place {
  /** What is tried after it, in this order. */
  readonly others: readonly Place[];
  readonly targetSessionAttrs: SessionAttrs;
  readonly database: string;
  readonly user: string;
  /** Null where none is given. */
  readonly password: Secret<PasswordSource> | null;
  /** What was asked for; `chooseTls` says what comes of it. Null where nothing was. */
  readonly sslMode: SslMode | null;
  readonly ca: string | null;
  /** The client's own certificate, with its key. */
  readonly cert: string | null;
  readonly key: Secret<string> | null;
  /** Null leaves it to the target. */
  readonly auth: "iam" | "password" | null;
  /** Of AWS, for IAM; null leaves it to the host name and the environment. */
  readonly region: string | null;
  readonly sslNegotiation: "postgres" | "direct";
  readonly channelBinding: "disable" | "prefer" | "require";
}

/**
 * Makes an address of the pieces that were given.
 * @throws {ConfigError} where host, user or database is missing.
 */
export function completeAddress(given: GivenSettings): Address {
  for (const name of ["host", "user", "database"] as const) {
    if (given[name] === undefined) {
      throw refusal(name, `in the URL, the option ${name} or ${addressTable[name][2]}`, { code: "MISSING_SETTING" });
    }
  }
  const { password, cert, key } = given;
  if ((cert === undefined) !== (key === undefined))
    throw refusal(cert === undefined ? "cert" : "key", "given too: a certificate and its key go together");
  const [first, ...others] = placesOf(given) as [Place, ...Place[]];
  const hidden = { password: hide(password), key: hide(key) };
  return { ...complete(addressTable, given), ...first, others, ...hidden } as unknown as Address;
}

/** Every host with its port. @throws ConfigError where their numbers differ */
export function placesOf({ host = "", port = addressTable.port[1] }: GivenSettings): readonly Place[] {
  const hosts = host.split(",");
  const ports = String(port).split(",");
  if (ports.length > 1 && ports.length !== hosts.length) throw refusal("port", "one for all hosts, or as many as there are hosts");
  return hosts.map((one, at) => ({ host: one, port: Number(ports[ports.length > 1 ? at : 0]) || addressTable.port[1] }));
}

/** What is said of every address by an option: the encryption, and how one logs in. */
const ofEveryAddress = ["sslMode", "sslNegotiation", "channelBinding", "ca", "cert", "key", "auth", "region"] as const;

/** What is given for the address of a `directUrl`: what that holds, and such options. @throws {ConfigError} where it holds more than an address */
export function directGiven(directUrl: string, options: DatabaseOptions): GivenSettings {
  const { given } = parseUrl(directUrl, "directUrl");
  if (Object.keys(given).some((name) => !(name in addressTable))) throw refusal("directUrl", "an address alone; move the rest to url");
  return { ...Object.fromEntries(ofEveryAddress.map((name) => [name, options[name]])), ...given };
}

/**
 * The address of a `directUrl`. What it leaves out is taken from the main address, save the port, the encryption, and the password of
 * another user.
 * @throws {ConfigError} where it is broken, or holds parameters that belong to the main URL.
 */
export function directAddress(directUrl: string, main: Address, options: DatabaseOptions): Address {
  const given = directGiven(directUrl, options);
  const { database, user, targetSessionAttrs } = main;
  const host = [main, ...main.others].map((place) => place.host).join();
  const password = (given.user ?? user) === user ? main.password?.reveal() : undefined;
  return completeAddress({ host, targetSessionAttrs, database, user, password, ...given });
}

function hide<T>(value: T | undefined): Secret<T> | null {
  return value === undefined ? null : new Secret(value);
}
