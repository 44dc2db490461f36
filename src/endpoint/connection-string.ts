import { withoutEndpointOption } from "../decide/url-parameters.ts";
import { badRequest } from "./request-failure.ts";

/** Who logs in to which database, and with which startup parameters. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Startup parameters beyond user and database: `application_name`, `options`, `search_path` … */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * Connection keywords that are the client's own business and that no server takes as a startup parameter; the encoding is always UTF8.
 * Source: PostgreSQL documentation, libpq, parameter key words; the last row is Prisma's.
 */
const CLIENT_KEYWORDS: ReadonlySet<string> = new Set(
  `host hostaddr port dbname database user username password passfile require_auth channel_binding connect_timeout client_encoding
  fallback_application_name keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout replication gssencmode ssl sslmode
  sslnegotiation sslcompression sslcert sslkey sslpassword sslcertmode sslrootcert sslcrl sslcrldir sslsni requirepeer ssl_min_protocol_version
  ssl_max_protocol_version min_protocol_version max_protocol_version krbsrvname gsslib gssdelegation service target_session_attrs
  load_balance_hosts uselibpqcompat
  pgbouncer connection_limit pool_timeout schema socket_timeout statement_cache_size`.split(/\s+/),
);

/** Reads the header `Neon-Connection-String`. Throws a 400 that names what is missing and quotes nothing. */
export function parseConnectionString(header: string | undefined): Login {
  if (header === undefined || header === "") throw badRequest("invalid header: neon-connection-string");
  const url = URL.parse(header);
  if (url === null) throw badRequest("invalid connection string: it is not a URL");
  if (!/^postgres(ql)?:$/.test(url.protocol)) throw badRequest("incorrect scheme");
  const database = decode(url.pathname.split("/")[1] ?? "", "invalid database name");
  if (database === "") throw badRequest("missing database name");
  const user = decode(url.username, "invalid username");
  if (user === "") throw badRequest("missing username");
  const password = decode(url.password, "invalid password");
  if (password === "") throw badRequest("missing authentication credentials: required password");
  if (url.hostname === "") throw badRequest("missing hostname");
  return { user, password, database, parameters: startupParameters(url.searchParams) };
}

/** The pairs that a server takes at startup; the rest belongs to the client. Names and values that hold NUL are refused. */
export function startupParameters(pairs: Iterable<readonly [string, string]>): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of pairs) {
    if (CLIENT_KEYWORDS.has(name) || name === "" || name.includes("\0") || value.includes("\0")) continue;
    const kept = name === "options" ? withoutEndpointOption(value) : value;
    if (kept !== "") parameters[name] = kept;
  }
  return parameters;
}

function decode(text: string, message: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (decoded.includes("\0")) throw badRequest(message);
    return decoded;
  } catch {
    throw badRequest(message);
  }
}
