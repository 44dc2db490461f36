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

/**
 * Parsers of one call, in pg's own form: what pg's `types` takes, pg-types' own table among it. Asked for a type when a result first has a column
 * of it; where it gives nothing, the database's own parser reads the type. Keep one object for all calls: what is made of it is remembered by it.
 */
export interface TypeParsers {
  /** What reads the server's text of a value of this type; undefined leaves it to the database's own parser. */
  getTypeParser(typeId: number, format: "text"): ((text: string) => unknown) | undefined;
}

const ofCalls = new WeakMap<TypeParsers, WeakMap<ParserSet, ParserSet>>();

/** The parsers of a call: its own, else the database's. The same set each time, for columns are kept with it. */
export function parsersOf(types: TypeParsers | undefined, common: ParserSet): ParserSet {
  if (types === undefined) return common;
  const known = ofCalls.get(types) ?? new WeakMap<ParserSet, ParserSet>();
  ofCalls.set(types, known);
  const parsers = known.get(common) ?? ownBefore(types, common);
  known.set(common, parsers);
  return parsers;
}

function ownBefore(types: TypeParsers, common: ParserSet): ParserSet {
  return {
    getTypeParser(typeId) {
      try {
        const own = types.getTypeParser(typeId, "text");
        return own ? atOnce(own) : common.getTypeParser(typeId, "text");
      } catch (thrown) {
        // told by the first value that it should have read
        return () => {
          throw thrown;
        };
      }
    },
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
