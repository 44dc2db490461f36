import { parseArgs } from "node:util";
import { nearestName } from "./nearest-name.ts";
import { WrongUse } from "./wrong-use.ts";

/** A flag of a command. One with an `example` takes a value; the others are there or not. */
export interface Flag {
  readonly example?: string;
  readonly short?: string;
}

/** The flags that were given: text for those that take a value, true for the others. Of several the last counts. */
export type GivenFlags<Name extends string> = { readonly [Key in Name]?: string | true };

/**
 * Reads the arguments of `command`, which takes flags alone. What is wrong is named by the flag as it was typed, and never by a value: one may
 * be a password. @throws {WrongUse}
 */
export function readFlags<Name extends string>(
  command: string,
  flags: Readonly<Record<Name, Flag>>,
  args: readonly string[],
): GivenFlags<Name> {
  const known: Readonly<Record<string, Flag>> = flags;
  const options = Object.fromEntries(
    Object.entries(known).map(([name, { example, short }]) => [
      name,
      { type: example === undefined ? "boolean" : "string", ...(short === undefined ? {} : { short }) } as const,
    ]),
  );
  const given: Record<string, string | true> = {};
  const see = `Run "${command} --help" for what there is.`;
  // not strict: node's own messages would quote what was given
  for (const token of parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") throw new WrongUse(`${command} takes options alone, and was given something else. ${see}`);
    const { name, rawName, value, inlineValue } = token;
    const flag = Object.hasOwn(known, name) ? known[name] : undefined;
    if (flag === undefined) throw new WrongUse(`Unknown option${shown(rawName)}.${suggestion(name, Object.keys(known))} ${see}`);
    if (flag.example === undefined && value !== undefined) throw new WrongUse(`${rawName} takes no value. ${see}`);
    if (flag.example !== undefined && (value === undefined || value === "" || (!inlineValue && value.startsWith("-")))) {
      throw new WrongUse(`${rawName} needs a value, such as ${rawName} ${flag.example}`);
    }
    given[name] = value ?? true;
  }
  return given as GivenFlags<Name>;
}

/** A flag as it was typed, unless it does not look like one: it may be a URL with two dashes before it. */
function shown(rawName: string): string {
  return /^--?[a-z][a-z\d-]{0,30}$/i.test(rawName) ? ` ${rawName}` : "";
}

function suggestion(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? "" : ` Did you mean --${nearest}?`;
}
