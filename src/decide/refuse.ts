import { ConfigError } from "../errors/errors.ts";
import { kindOf } from "../errors/redact.ts";

/** What a refusal says beyond the setting's name. */
export interface RefusalDetails {
  readonly code?: "INVALID_SETTING" | "MISSING_SETTING" | "UNKNOWN_SETTING";
  /** The piece of a URL that does not fit, where the setting is a URL. */
  readonly piece?: string | undefined;
}

/** A setting cannot be used, or is missing. `shape` reads on after "must be" and says what to write, never what was written. */
export function refusal(setting: string, shape: string, { code = "INVALID_SETTING", piece }: RefusalDetails = {}): ConfigError {
  return new ConfigError(`The setting ${piece ? `${piece} in ` : ""}${setting} must be ${shape}.`, { code, setting });
}

/** Nothing is called `name`. Lists what is known; what does not look like a name is not shown. With `url`, it is a parameter of that setting. */
export function unknownName(name: string, known: readonly string[], url?: string): ConfigError {
  const shown = /^[a-z]\w{0,39}$/i.test(name) ? name : undefined;
  const details = { code: "UNKNOWN_SETTING", piece: url && (shown ?? "a parameter") } as const;
  return refusal(url ?? shown ?? "options", `one of those known here: ${known.join(", ")}`, details);
}

/** What code gives that was handed in as a setting. @throws ConfigError that says what kind of thing it threw, never what it said */
export function handedIn<T>(setting: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw refusal(setting, `code that does not throw; it threw: ${kindOf(error)}`);
  }
}
