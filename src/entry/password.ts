import type { PasswordSource } from "../decide/settings.ts";
import { ConfigError, ConnectionError } from "../errors/errors.ts";
import { kindOf } from "../errors/redact.ts";
import { passwordFailure } from "../transports/password-failure.ts";

/** What a password function failed with, as an error of this package. */
export type TellPasswordFailure = (thrown: unknown) => ConnectionError;

/** A password as pg takes it: called when a server asks, with what the driver tells it, it fails with a code and the fate `not-sent`. */
export function passwordFor(source: PasswordSource | null, tell?: TellPasswordFailure): string | ((login?: unknown) => Promise<string>) {
  if (typeof source === "string") return source;
  return async (login) => {
    if (source === null) {
      throw new ConfigError("The server asks for a password, and there is none. Give it in the URL, as an option, or in PGPASSWORD.", {
        code: "MISSING_SETTING",
        setting: "password",
      });
    }
    return askPassword(() => (source as (login?: unknown) => string | Promise<string>)(login), tell);
  };
}

/** What Postgres reads of a password at most, bytes. Source: PostgreSQL's sources, PG_MAX_AUTH_TOKEN_LENGTH. */
const LONGEST = 65_535;

/**
 * What the caller's password function gives.
 * @throws ConnectionError PASSWORD_FAILED when it fails, or gives what no password can be
 */
export async function askPassword(source: () => string | Promise<string>, tell: TellPasswordFailure = passwordFailure): Promise<string> {
  let given: unknown;
  try {
    given = await source();
  } catch (error) {
    throw tell(error);
  }
  // as for the setting itself: what travelled of anything else would be another password
  if (typeof given === "string" && given !== "" && given.length <= LONGEST && given.isWellFormed() && !given.includes("\0")) return given;
  const what = typeof given === "string" ? "text that is empty, too long, not well-formed, or holds NUL" : `no text (${kindOf(given)})`;
  throw new ConnectionError(`The password function gave ${what}. Check where it reads from.`, {
    code: "PASSWORD_FAILED",
    fate: "not-sent",
    retryable: true,
  });
}
