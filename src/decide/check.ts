import type { DatabaseOptions } from "./options.ts";
import { invalidSetting, unknownName } from "./refuse.ts";
import { rules, settingNames } from "./rules.ts";
import { parseUrl } from "./url.ts";

/**
 * Checks what the options alone can tell: names, types, ranges, a broken URL. Reads no environment. A text stands for `{ url }`.
 * @returns a frozen copy. An option given as `undefined` counts as left out, except that `url` stays: see {@link DatabaseOptions.url}.
 * @throws {ConfigError} that names the setting and what to write, never the value.
 */
export function checkOptions(options: unknown): DatabaseOptions {
  const given: unknown = typeof options === "string" ? { url: options } : (options ?? {});
  if (typeof given !== "object" || given === null || Array.isArray(given) || options === null) {
    throw invalidSetting("options", "give a URL, an object or nothing");
  }
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (!settingNames.includes(name)) throw unknownName(name, settingNames, { kind: "setting" });
    if (value === undefined && name !== "url") continue;
    checked[name] = value;
    if (value === undefined) continue;
    if (name === "url" || name === "directUrl") {
      parseUrl(value, name);
      continue;
    }
    const problem = rules[name as keyof typeof rules](value);
    if (problem !== null) throw invalidSetting(name, `it ${problem}`);
  }
  const { min = 0, max = Number.POSITIVE_INFINITY } = checked as DatabaseOptions;
  if (min > max) throw invalidSetting("min", "it must not be above max; lower min or raise max");
  return Object.freeze(checked) as DatabaseOptions;
}
