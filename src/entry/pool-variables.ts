import { refusal } from "../decide/refuse.ts";
import type { DatabaseOptions } from "../decide/settings.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** What decides which variables count. */
interface Given {
  readonly checked: DatabaseOptions;
  readonly driver: Readonly<Record<string, unknown>>;
  readonly lacksUrl: boolean;
}

/**
 * The variables that a pool reads. Where `connectionString` was given with nothing in it, only those of pg count, as with pg: a name that was
 * misspelt must not lead to another database.
 * @throws ConfigError where there is no address then, and for clients that are none of JavaScript
 */
export function variablesFor({ checked, driver, lacksUrl }: Given, env: Variables): Variables {
  if (env.NODE_PG_FORCE_NATIVE) {
    throw refusal("NODE_PG_FORCE_NATIVE", "left out: connections here are clients of pg's own in JavaScript, and no other");
  }
  const { fallback_application_name: fallback } = driver as { readonly fallback_application_name?: string };
  const variables = { ...env, PGAPPNAME: env.PGAPPNAME || fallback };
  if (!lacksUrl) return variables;
  if (checked.host === undefined && !env.PGHOST) {
    throw refusal("connectionString", "text; leave it out to use DATABASE_URL", { code: "MISSING_SETTING" });
  }
  return { ...variables, DATABASE_URL: undefined };
}
