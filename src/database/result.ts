import { Unreadable } from "../errors/decode-failure.ts";
import { leaveAlone } from "../errors/look.ts";
import type { ParserSet } from "../transports/transport.ts";
import { timeParser } from "./read-time.ts";
import { isPromise } from "./refuse-value.ts";

/**
 * Parsers of one database: the caller's by type id, else the driver's own (pg-types), which are made to refuse what they would misread. No
 * global table is touched.
 */
export function parserSet(own: Readonly<Record<number, (text: string) => unknown>>, common: ParserSet): ParserSet {
  const parsers = Object.fromEntries(Object.entries(own).map(([id, parse]) => [id, atOnce(parse)]));
  return {
    getTypeParser: (typeId, format) =>
      parsers[typeId] ?? (format === "binary" ? common.getTypeParser(typeId, format) : timeParser(typeId, common)),
  };
}

/** A parser of the caller's, which must give its value at once: a promise in a row would be nobody's. */
export function atOnce(parse: (text: string) => unknown): (text: string) => unknown {
  return (text) => {
    const value = parse(text);
    if (!isPromise(value)) return value;
    leaveAlone(value);
    throw new Unreadable("the parser of its type gave a promise. Give one there that parses at once.");
  };
}
