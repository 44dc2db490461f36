import type { ParserSet } from "../transports/transport.ts";

/** Parsers of one database: the caller's by type id, else the driver's own (pg-types). No global table is touched. */
export function parserSet(own: Readonly<Record<number, (text: string) => unknown>>, common: ParserSet): ParserSet {
  if (Object.keys(own).length === 0) return common;
  return { getTypeParser: (typeId, format) => own[typeId] ?? common.getTypeParser(typeId, format) };
}
