import { ConfigError } from "../errors/errors.ts";

/** A setting is there and cannot be used. `problem` reads on after its name and says what to write instead, never what was written. */
export function invalidSetting(setting: string, problem: string): ConfigError {
  return new ConfigError(`The setting ${setting} is not valid: ${problem}.`, { code: "INVALID_SETTING", setting });
}

/** A setting is needed and nobody gave it. */
export function missingSetting(setting: string, remedy: string): ConfigError {
  return new ConfigError(`The setting ${setting} is missing: ${remedy}.`, { code: "MISSING_SETTING", setting });
}

/** Nothing here is called `name`. Suggests the nearest of `known`, and lists them. What does not look like a name is not shown. */
export function unknownName(
  name: string,
  known: readonly string[],
  where: { readonly setting?: string; readonly kind: string },
): ConfigError {
  const shown = /^[a-z][\w-]{0,39}$/i.test(name) ? name : "of that name";
  const near = shown === name ? nearest(name, known) : undefined;
  const hint = near === undefined ? "" : `did you mean ${near}? `;
  return new ConfigError(`There is no ${where.kind} ${shown}: ${hint}Known are ${known.join(", ")}.`, {
    code: "UNKNOWN_SETTING",
    setting: where.setting ?? (shown === name ? name : "options"),
  });
}

/** Names other libraries use for the same thing. */
const elsewhere: Readonly<Record<string, string>> = { connectionString: "url", ssl: "sslMode", username: "user", hostname: "host" };

function nearest(name: string, known: readonly string[]): string | undefined {
  const named = elsewhere[name] ?? "";
  if (known.includes(named)) return named;
  const furthest = Math.min(5, Math.max(2, name.length / 3));
  for (let edits = 1; edits <= furthest; edits++) {
    const near = known.find((candidate) => isWithin(edits, name.toLowerCase(), candidate.toLowerCase()));
    if (near !== undefined) return near;
  }
  return undefined;
}

/** Whether so many insertions, deletions and swaps of a letter turn one text into the other. */
function isWithin(edits: number, from: string, to: string): boolean {
  let same = 0;
  while (same < from.length && from[same] === to[same]) same++;
  const [left, right] = [from.slice(same), to.slice(same)];
  if (left === right) return true;
  return (
    edits > 0 &&
    [[left.slice(1), right] as const, [left, right.slice(1)] as const, [left.slice(1), right.slice(1)] as const].some(([a, b]) =>
      isWithin(edits - 1, a, b),
    )
  );
}
