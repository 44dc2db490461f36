import type { ConfigError } from "../errors/errors.ts";
import { leaveAlone, look } from "../errors/look.ts";
import type { DatabaseOptions } from "./options.ts";
import { otherSpellings } from "./other-spellings.ts";
import { handedIn, refusal, unknownName } from "./refuse.ts";
import { isRecord, oneOf } from "./rules.ts";
import type { RuntimeName } from "./runtime.ts";
import { type TabledName, table } from "./table.ts";
import { parseUrl } from "./url.ts";

/** The names of all settings. */
export const settingNames: readonly string[] = ["url", "directUrl", ...Object.keys(table)];

function unknownOption(name: string): ConfigError {
  const ours = Object.hasOwn(otherSpellings, name) && otherSpellings[name];
  return ours ? refusal(name, ours, { code: "UNKNOWN_SETTING" }) : unknownName(name, settingNames);
}

/**
 * Checks what the options alone can tell: names, types, ranges, a broken URL. Reads no environment. A text stands for `{ url }`.
 * @param runtimes the names that the setting `runtime` takes here: in an edge build only its own.
 * @returns a frozen copy. An option given as `undefined` counts as left out, except that `url` stays: see {@link DatabaseOptions.url}.
 * @throws {ConfigError} that names the setting and what to write, never the value.
 */
export function checkOptions(options: unknown, runtimes: readonly RuntimeName[]): DatabaseOptions {
  const given = typeof options === "string" ? { url: options } : options === undefined ? {} : options;
  if (!look(() => isRecord(given), false)) throw refusal("options", "a URL, an object or left out");
  const checked: Record<string, unknown> = {};
  for (const [name, value] of handedIn("options", () => Object.entries(given as object))) {
    if (!settingNames.includes(name)) throw unknownOption(name);
    if (value !== undefined || name === "url") checked[name] = value;
    if (value === undefined) continue;
    if (name in table) {
      const rule = name === "runtime" ? oneOf(runtimes) : table[name as TabledName][0];
      if (look(() => rule.fits(value), false)) continue;
      leaveAlone(value);
      throw refusal(name, rule.shape);
    } else parseUrl(value, name);
  }
  const { min = 0, max = min } = checked as DatabaseOptions;
  if (min > max) throw refusal("min", "at most max; lower min or raise max");
  return Object.freeze(checked);
}
