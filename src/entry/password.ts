import type { PasswordSource } from "../decide/settings.ts";
import { ConfigError } from "../errors/errors.ts";
import { passwordFailure } from "../transports/failure.ts";

/** A password as pg takes it: called when a server asks, it fails with a code and the fate `not-sent`. */
export function passwordFor(source: PasswordSource | null): string | (() => Promise<string>) {
  if (typeof source === "string") return source;
  return async () => {
    if (source === null) {
      throw new ConfigError(
        "The server asks for a password, and the setting password is missing. Give it in the URL, as an option, or in PGPASSWORD.",
        {
          code: "MISSING_SETTING",
          setting: "password",
        },
      );
    }
    try {
      return await source();
    } catch (error) {
      throw passwordFailure(error);
    }
  };
}
