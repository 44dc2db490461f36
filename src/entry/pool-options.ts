import type { PoolConfig } from "pg";
import type { DatabaseOptions } from "../decide/settings.ts";

/** What is the same in both, or cannot be kept. */
type Others = "host" | "port" | "database" | "user" | "password" | "max" | "min" | "types" | "Client" | "pipeline" | "ssl";

/** Options in pg's spelling, with pg's meaning: docs/pool.md lists them all. */
interface PgSpelling extends Omit<PoolConfig, Others> {
  /** `true` and options of Node's TLS mean TLS, verified unless `rejectUnauthorized` is false; `false` means none. */
  readonly ssl?: PoolConfig["ssl"] | "no-verify" | "true";
  /** pg's parsers; or functions by type id, as `createDatabase` takes them. */
  readonly types?: PoolConfig["types"] | DatabaseOptions["types"];
  /** As text, it is read as its number: variables hold text. */
  readonly port?: number | string | undefined;
  readonly binary?: boolean | undefined;
  readonly scramMaxIterations?: number | undefined;
}

/** What the pools of `warmline/pool` take: the settings of `createDatabase`, and options in pg's spelling. What is said twice is refused. */
export interface WarmPoolOptions extends Omit<DatabaseOptions, "types" | "port">, PgSpelling {}
