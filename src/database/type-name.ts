import { invalidStatement } from "./refuse-value.ts";

const name = '(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")';

/** A word, or one with its schema, or two words that are one type; a length; what belongs to a time; dimensions. */
const form = new RegExp(
  `^(double precision|(?:character|bit) varying|${name}(?:\\.${name})?)(?: ?\\(\\d+(?:, ?-?\\d+)?\\))?( with(?:out)? time zone)?((?:\\[\\])*)$`,
  "i",
);

/** Types that are one character long where no length is said, and what they are without one. */
const unbounded = new Map([
  ["char", "bpchar"],
  ["character", "bpchar"],
  ["bit", "varbit"],
]);

/**
 * A type as a cast can name it, and nothing else of SQL. Its length is left out: a cast to `varchar(3)` cuts what is longer, where a column of
 * that type refuses it.
 *
 * @throws UsageError INVALID_STATEMENT
 */
export function typeName(type: unknown, column: string): string {
  const [, base, zone = "", dimensions = ""] = (typeof type === "string" && form.exec(type)) || [];
  if (base === undefined) {
    throw invalidStatement(
      `The type of column "${column}" is no name of a type: write int, varchar(20), text[], app.mood, "Mood", timestamp with time zone.`,
    );
  }
  return `${unbounded.get(base.toLowerCase()) ?? base}${zone}${dimensions}`;
}
