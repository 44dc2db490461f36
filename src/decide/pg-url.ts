import { refusal } from "./refuse.ts";
import { plainly } from "./url.ts";

/** What a connection string of pg's says. */
export interface PgUrl {
  /** What is left for the reader of URLs; undefined where it is no URL. */
  readonly url: string | undefined;
  /** What that reader does not know, or knows by another name. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What only Node's TLS takes: a certificate of the client's own, and whether the host's name counts. */
  readonly tls: Readonly<Record<string, unknown>>;
}

/** Parameters that are options of pg's as well. */
const asOption: ReadonlySet<string> = new Set([
  ...["client_encoding", "replication", "fallback_application_name"],
  ...["lock_timeout", "idle_in_transaction_session_timeout", "query_timeout"],
]);

/** Parameters of TLS that the reader of URLs does not know. */
const ofTls: ReadonlySet<string> = new Set(["ssl", "sslcert", "sslkey", "sslrootcert", "uselibpqcompat"]);

const setting = "connectionString";

/**
 * Reads of a connection string what a pool in pg's place takes as pg means it, and leaves the rest to the reader of all URLs: sockets by their
 * folder, parameters that are options of pg's, and those of TLS, since `uselibpqcompat` decides what `sslmode` means.
 * @param readFile gives the text of a file, as pg reads certificates.
 * @throws ConfigError for what contradicts itself, never with what is in it
 */
export function readPgUrl(written: string, readFile: ReadFile): PgUrl {
  if (written.startsWith("/")) {
    const [host, database] = written.split(" ");
    return { url: undefined, options: { host, ...(database && { database }) }, tls: {} };
  }
  if (written.startsWith("socket:")) return { url: undefined, options: socket(written), tls: {} };
  const at = written.indexOf("?");
  const options: Record<string, unknown> = {};
  const tls: Record<string, string> = {};
  const kept: string[] = [];
  for (const pair of at < 0 ? [] : written.slice(at + 1).split("&")) {
    const [name = "", ...value] = pair.split("=");
    const into = asOption.has(name) ? options : ofTls.has(name) ? tls : undefined;
    if (into === undefined) kept.push(pair);
    else if (name in into) throw refusal(setting, "there once; leave one out", { piece: name });
    else into[name] = decoded(value.join("="), name);
  }
  const secured = Object.keys(tls).length > 0 ? secure(tls, kept, readFile) : { options: {}, tls: {} };
  return {
    url: at < 0 ? written : written.slice(0, at) + (kept.length > 0 ? `?${kept.join("&")}` : ""),
    options: { ...options, ...secured.options },
    tls: secured.tls,
  };
}

type ReadFile = (path: string) => string;

/** What the parameters of TLS say. An `sslmode` among the `others` that is told with them is taken from there. */
function secure(tls: Readonly<Record<string, string>>, others: string[], readFile: ReadFile): Pick<PgUrl, "options" | "tls"> {
  const index = others.findIndex((pair) => pair.startsWith("sslmode="));
  const mode = index < 0 ? undefined : others[index]?.slice("sslmode=".length);
  const { sslMode, isNameChecked } = modeOf(tls, mode);
  // as in every URL: what says the same twice says it once
  if (mode !== undefined && tls.ssl !== undefined && plainly(modeOf({ ssl: tls.ssl }, undefined).sslMode) !== plainly(mode)) {
    throw refusal(setting, "left out: sslmode says something else", { piece: "ssl" });
  }
  // told as a setting, it is told once
  if (index >= 0 && sslMode !== undefined) others.splice(index, 1);
  const { sslcert, sslkey, sslrootcert } = tls;
  return {
    options: { ...(sslMode && { sslMode }), ...(sslrootcert && sslrootcert !== "system" && { ca: sslrootcert }) },
    tls: {
      ...(sslcert && { cert: textOf(sslcert, "sslcert", readFile) }),
      ...(sslkey && { key: textOf(sslkey, "sslkey", readFile) }),
      ...(!isNameChecked && { checkServerIdentity: () => undefined }),
    },
  };
}

/** `socket:/folder?db=name`, with user and password before the folder if at all. */
function socket(written: string): Readonly<Record<string, unknown>> {
  // a URL has a host where it has a user
  const hosted = written.replace("@/", "@localhost/");
  if (!URL.canParse(hosted)) throw refusal(setting, "like socket:/var/run/postgresql?db=name");
  const { pathname, username, password, searchParams } = new URL(hosted);
  return {
    host: decoded(pathname),
    ...(username && { user: decoded(username) }),
    ...(password && { password: decoded(password) }),
    ...(searchParams.get("db") && { database: searchParams.get("db") }),
    ...(searchParams.get("encoding") && { client_encoding: searchParams.get("encoding") }),
  };
}

/** What pg makes of `ssl`, and of `sslmode` where libpq's meaning is asked for; no mode where the URL's own stands. */
function modeOf({ ssl, sslrootcert, uselibpqcompat }: Readonly<Record<string, string>>, mode: string | undefined) {
  if (uselibpqcompat === "true" && mode !== undefined) {
    const byAuthority = mode === "verify-ca" || (mode === "require" && sslrootcert !== undefined);
    if (byAuthority && sslrootcert === undefined) {
      throw refusal(setting, "verify-full, or stand beside an sslrootcert", { piece: "sslmode" });
    }
    if (byAuthority) return { sslMode: "verify-full", isNameChecked: false };
    if (mode === "prefer" || mode === "require") return { sslMode: "no-verify", isNameChecked: true };
  }
  const sslMode = ssl === undefined ? undefined : modes.get(ssl);
  if (ssl !== undefined && sslMode === undefined) throw refusal(setting, "true, false or no-verify", { piece: "ssl" });
  return { sslMode, isNameChecked: true };
}

/** By the words of `ssl`. */
const modes: ReadonlyMap<string, string> = new Map([
  ["true", "verify-full"],
  ["1", "verify-full"],
  ["false", "disable"],
  ["0", "disable"],
  ["no-verify", "no-verify"],
]);

function textOf(path: string, piece: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch {
    throw refusal(setting, "the path of a file that can be read", { piece });
  }
}

function decoded(value: string, piece?: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw refusal(setting, "percent-encoded (%25 is %)", { piece });
  }
}
