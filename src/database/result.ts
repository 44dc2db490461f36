import type { ParserSet } from "../transports/transport.ts";
import { timeParser } from "./read-time.ts";

/**
 * Parsers of one database: the caller's by type id, else the driver's own (pg-types), which are made to refuse what they would misread. No
 * global table is touched.
 */
export function parserSet(own: Readonly<Record<number, (text: string) => unknown>>, common: ParserSet): ParserSet {
  return {
    getTypeParser: (typeId, format) =>
      own[typeId] ?? (format === "binary" ? common.getTypeParser(typeId, format) : timeParser(typeId, common)),
  };
}
