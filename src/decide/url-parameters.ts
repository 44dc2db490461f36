import type { TabledName } from "./table.ts";

/** A parameter that changes nothing: its value is what holds anyhow, or it is for other clients, which is worth a warning. */
export type Nothing = "nothing" | "left out";

/** The setting of ours, and its text as that is written. */
type Meaning = readonly [name: TabledName, text: string] | Nothing;

type Foreign = (written: string, parameter: string) => Meaning;

const as =
  (name: TabledName): Foreign =>
  (written) => [name, written];
const inSeconds =
  (name: TabledName): Foreign =>
  (written) =>
    written === "0" ? "left out" : [name, `${written}000`];
const sslWords =
  (words: Readonly<Record<string, string>>): Foreign =>
  (written) => ["sslMode", words[written] ?? written];
const atServer: Foreign = (written, parameter) => ["startupOptions", serverSetting(parameter, written)];
const leftOut: Foreign = () => "left out";

/**
 * Parameters of other clients, as consoles and guides write them. Sources: the documentation of libpq (parameter key words), of Prisma
 * (connection URLs), of pg-connection-string and postgres.js, of pgJDBC (`currentSchema`), of Supabase and Vercel (`supa`, `workaround`).
 */
export const foreignParameters: Readonly<Record<string, Foreign>> = {
  user: as("user"),
  username: as("user"),
  password: as("password"),
  dbname: as("database"),
  ssl: sslWords({ true: "require", 1: "require", false: "disable", 0: "disable" }),
  sslaccept: sslWords({ strict: "verify-full", accept_invalid_certs: "no-verify" }),
  connection_limit: as("max"),
  pool_timeout: inSeconds("acquireTimeoutMs"),
  socket_timeout: inSeconds("deadlineMs"),
  max_idle_connection_lifetime: inSeconds("idleTimeoutMs"),
  max_connection_lifetime: inSeconds("lifetimeMs"),
  statement_cache_size: (written) => (written === "0" ? ["prepare", "false"] : "left out"),
  // where an unset search_path looks, too
  schema: (written) =>
    written === "public" ? "nothing" : ["startupOptions", serverSetting("search_path", `"${written.replaceAll('"', '""')}"`)],
  currentSchema: (written) => atServer(written, "search_path"),
  search_path: atServer,
  lock_timeout: atServer,
  idle_in_transaction_session_timeout: atServer,
  idle_session_timeout: atServer,
  timezone: atServer,
  TimeZone: atServer,
  client_encoding: (written) => (/^(utf-?8|unicode|auto)$/i.test(written) ? "nothing" : "left out"),
  fallback_application_name: leftOut,
  gssencmode: leftOut,
  keepalives: leftOut,
  keepalives_count: leftOut,
  keepalives_idle: leftOut,
  keepalives_interval: leftOut,
  load_balance_hosts: leftOut,
  ssl_min_protocol_version: leftOut,
  sslcompression: leftOut,
  sslsni: leftOut,
  supa: leftOut,
  tcp_user_timeout: leftOut,
  uselibpqcompat: leftOut,
  workaround: leftOut,
};

/** A setting of the server as `options` of libpq writes it, where spaces and backslashes are escaped. */
function serverSetting(name: string, value: string): string {
  return `-c ${name}=${value.replace(/[\\\s]/g, "\\$&")}`;
}

/** The startup options without what names an endpoint to Neon's proxy: host names do that here. */
export function withoutEndpointOption(options: string): string {
  return options
    .split(/\s+/)
    .filter((option) => !/^(endpoint|project)[=:]/.test(option) && !option.startsWith("neon_"))
    .join(" ");
}
