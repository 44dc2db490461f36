/**
 * What a message of the server's is there for: `aside` comes at any time (notices, notifications, settings that changed), `login` belongs to
 * the login alone, `ready` ends an answer, and `answer` is part of one.
 */
export type MessageKind = "aside" | "login" | "error" | "ready" | "answer";

/** A type of message, as its first byte tells it. */
interface MessageType {
  readonly kind: MessageKind;
  /** The greatest length it may say. */
  readonly longest: number;
  /** Whether what is in a whole message, from its first byte to its end, agrees with the length it says. */
  readonly agrees: (bytes: Uint8Array, start: number, end: number) => boolean;
}

/** A type byte and the length, which counts itself. */
export const HEADER_BYTES = 5;

/** Where nothing long can be in it. Source: libpq, fe-protocol3.c, pqParseInput3: what is longer has lost the step. */
const SHORT = 30_000;
/** What the server cannot make is no message. Source: PostgreSQL's sources, MaxAllocSize: 1 GB less one byte. */
const LONG = 0x3fff_ffff;

const NO_ID = 4;

/** The first bytes of messages that are read here. Source: PostgreSQL documentation, "Message Formats". */
export const NOTICE_RESPONSE = 0x4e;
export const PARSE_COMPLETE = 0x31;
export const BIND_COMPLETE = 0x32;
export const COPY_DONE = 0x63;
export const COMMAND_COMPLETE = 0x43;
export const DATA_ROW = 0x44;
export const ERROR_RESPONSE = 0x45;
export const COPY_IN_RESPONSE = 0x47;
export const COPY_OUT_RESPONSE = 0x48;
export const EMPTY_QUERY_RESPONSE = 0x49;
export const ROW_DESCRIPTION = 0x54;
export const COPY_DATA = 0x64;
export const NO_DATA = 0x6e;
export const PORTAL_SUSPENDED = 0x73;
export const PARAMETER_DESCRIPTION = 0x74;
export const CLOSE_COMPLETE = 0x33;

const types: (MessageType | undefined)[] = [];
function define(letters: string, kind: MessageKind, longest: number, agrees: MessageType["agrees"]): void {
  for (const letter of letters) types[letter.charCodeAt(0)] = { kind, longest, agrees };
}

// Source: PostgreSQL documentation, "Message Formats".
define("N", "aside", LONG, hasFields);
define("A", "aside", LONG, (bytes, start, end) => holdsTexts(bytes, { from: start + HEADER_BYTES + NO_ID, end, count: 2 }));
define("S", "aside", SHORT, (bytes, start, end) => holdsTexts(bytes, { from: start + HEADER_BYTES, end, count: 2 }));
define("R", "login", SHORT, (_, start, end) => end - start >= HEADER_BYTES + 4);
define("K", "login", SHORT, (_, start, end) => end - start >= HEADER_BYTES + 8);
define("E", "error", LONG, (bytes, start, end) => hasFields(bytes, start, end) && namesItself(bytes, start, end));
define("Z", "ready", SHORT, (bytes, start, end) => end - start === HEADER_BYTES + 1 && isStatus(bytes[start + HEADER_BYTES]));
// ParseComplete, BindComplete, CloseComplete, NoData, PortalSuspended, CopyDone, EmptyQueryResponse
define("123nscI", "answer", SHORT, (_, start, end) => end - start === HEADER_BYTES);
define("C", "answer", SHORT, (bytes, start, end) => holdsTexts(bytes, { from: start + HEADER_BYTES, end, count: 1 }));
define("T", "answer", LONG, describesRow);
define("D", "answer", LONG, isRow);
define("t", "answer", LONG, (bytes, start, end) => isList(bytes, { at: start + HEADER_BYTES, end, each: 4 }));
// CopyInResponse, CopyOutResponse, CopyBothResponse; CopyData
define("GHW", "answer", SHORT, (bytes, start, end) => isList(bytes, { at: start + HEADER_BYTES + 1, end, each: 2 }));
define("d", "answer", LONG, () => true);

/** The type of a message that begins with this byte; undefined where the protocol has none. */
export function messageType(byte: number | undefined): MessageType | undefined {
  return types[byte as number];
}

/** The length at a place, or what stands in its place before the login, as the unsigned number it is. */
export function lengthAt(bytes: Uint8Array, at: number): number {
  return int32(bytes, at) >>> 0;
}

export function int32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16) | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}

/** As the unsigned number it is. */
export function int16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Idle, in a transaction, in one that failed. */
function isStatus(byte: number | undefined): boolean {
  return byte === 0x49 || byte === 0x54 || byte === 0x45;
}

/** The place behind the text that begins at `from`, past its zero byte; past the end where it has none. */
export function afterText(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== 0) at++;
  return at + 1;
}

function holdsTexts(bytes: Uint8Array, { from, end, count }: { from: number; end: number; count: number }): boolean {
  let at = from;
  for (let left = count; left > 0; left--) at = afterText(bytes, at, end);
  return at === end;
}

/** Fields of ErrorResponse and NoticeResponse: a byte and a text each, and a zero byte behind the last. */
function hasFields(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + HEADER_BYTES;
  while (at < end && bytes[at] !== 0) at = afterText(bytes, at + 1, end);
  return at + 1 === end;
}

/** Whether severity, code and message are there, which always are. Source: PostgreSQL documentation, "Error and Notice Message Fields". */
function namesItself(bytes: Uint8Array, start: number, end: number): boolean {
  const found = new Set<number | undefined>();
  for (let at = start + HEADER_BYTES; bytes[at] !== 0; at = afterText(bytes, at + 1, end)) found.add(bytes[at]);
  return [..."SCM"].every((letter) => found.has(letter.charCodeAt(0)));
}

/** A count, and as many things of `each` bytes. */
function isList(bytes: Uint8Array, { at, end, each }: { at: number; end: number; each: number }): boolean {
  return at + 2 <= end && at + 2 + int16(bytes, at) * each === end;
}

/** For each column its name and 18 bytes: table, column, type, size, modifier, format. */
function describesRow(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + HEADER_BYTES + 2;
  if (at > end) return false;
  for (let left = int16(bytes, at - 2); left > 0; left--) {
    if (at >= end) return false;
    at = afterText(bytes, at, end) + 18;
  }
  return at === end;
}

/** For each column a length, -1 for null, and as many bytes. */
export function isRow(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start + HEADER_BYTES + 2;
  if (at > end) return false;
  for (let left = int16(bytes, at - 2); left > 0; left--) {
    if (at + 4 > end) return false;
    const length = int32(bytes, at);
    if (length < -1) return false;
    at += length === -1 ? 4 : 4 + length;
  }
  return at === end;
}
