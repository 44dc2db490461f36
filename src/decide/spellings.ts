import type { DatabaseOptions } from "./options.ts";
import { rules } from "./rules.ts";

/** A setting as the environment and the URL write it. */
export interface Spelling {
  readonly option: keyof typeof rules;
  /** The environment variable, or null. */
  readonly env: string | null;
  /** The URL parameter, or null. */
  readonly parameter: string | null;
  readonly form: "text" | "number" | "seconds" | "flag";
}

/** Every setting that can be written outside the options. Source of the names: PostgreSQL documentation, libpq parameters and variables. */
export const spellings: readonly Spelling[] = [
  { option: "host", env: "PGHOST", parameter: "host", form: "text" },
  { option: "port", env: "PGPORT", parameter: "port", form: "number" },
  { option: "database", env: "PGDATABASE", parameter: null, form: "text" },
  { option: "user", env: "PGUSER", parameter: null, form: "text" },
  { option: "password", env: "PGPASSWORD", parameter: null, form: "text" },
  { option: "sslMode", env: "PGSSLMODE", parameter: "sslmode", form: "text" },
  { option: "sslNegotiation", env: null, parameter: "sslnegotiation", form: "text" },
  { option: "channelBinding", env: null, parameter: "channel_binding", form: "text" },
  { option: "applicationName", env: "PGAPPNAME", parameter: "application_name", form: "text" },
  { option: "connectTimeoutMs", env: "PGCONNECT_TIMEOUT", parameter: "connect_timeout", form: "seconds" },
  { option: "startupOptions", env: "PGOPTIONS", parameter: "options", form: "text" },
  { option: "statementTimeoutMs", env: null, parameter: "statement_timeout", form: "number" },
  { option: "target", env: null, parameter: "pgbouncer", form: "flag" },
  { option: "endpoint", env: "WARMLINE_ENDPOINT", parameter: null, form: "text" },
];

/** Settings as read from one place. */
export type Parts = Partial<Pick<DatabaseOptions, keyof typeof rules>>;

/** What a text means for its setting: the value, or what is wrong with it. A flag that is off has the value `undefined`. */
export function readSpelling(spelling: Spelling, written: string): { readonly value: unknown } | { readonly problem: string } {
  if (spelling.form === "flag") {
    if (written !== "true" && written !== "false") return { problem: "must be true or false" };
    return { value: written === "true" ? spelling.parameter : undefined };
  }
  const number = /^\d{1,10}$/.test(written) ? Number(written) : Number.NaN;
  if (spelling.form === "seconds") {
    return number >= 1 && number <= 2_147_483
      ? { value: number * 1000 }
      : { problem: "must be a whole number of seconds from 1 to 2147483" };
  }
  const value = spelling.form === "number" ? number : written;
  const problem = rules[spelling.option](value);
  return problem === null ? { value } : { problem };
}
