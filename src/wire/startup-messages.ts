import { HEADER_BYTES, lengthAt } from "./frames.ts";

/** What a client sends before it is logged in. */
type StartupMessage =
  /** Asks for encryption (SSLRequest, GSSENCRequest). */
  | { readonly kind: "encryption" }
  | { readonly kind: "cancel"; readonly packet: Buffer }
  | { readonly kind: "startup"; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: "password"; readonly password: string }
  | { readonly kind: "unreadable" };

/** A message, and the bytes behind it. */
export interface Taken {
  readonly message: StartupMessage;
  readonly rest: Buffer;
}

/** Stands in the place of a protocol's number where a client asks to cancel. Source: PostgreSQL documentation, message formats. */
export const CANCEL_REQUEST = 80_877_102;

/** Source: PostgreSQL documentation, message formats; the limit is MAX_STARTUP_PACKET_LENGTH of its sources. */
const PROTOCOL_3_0 = 196_608;
const SSL_REQUEST = 80_877_103;
const GSSENC_REQUEST = 80_877_104;
const MAX_STARTUP_BYTES = 10_000;
const MAX_PASSWORD_BYTES = 65_536;
const PASSWORD_TYPE = 0x70;

/** Asks the server whether it speaks TLS. */
export function sslRequest(): Buffer {
  const packet = Buffer.alloc(8);
  packet.writeInt32BE(8, 0);
  packet.writeInt32BE(SSL_REQUEST, 4);
  return packet;
}

/** Takes the packet at the head of `buffer`; undefined as long as it is not complete. */
export function takeStartupPacket(buffer: Buffer): Taken | undefined {
  if (buffer.length < 8) return undefined;
  const length = lengthAt(buffer, 0);
  if (length < 8 || length > MAX_STARTUP_BYTES) return unreadable(buffer);
  if (buffer.length < length) return undefined;
  const packet = buffer.subarray(0, length);
  return { message: readPacket(packet), rest: buffer.subarray(length) };
}

/** Takes the PasswordMessage at the head of `buffer`; undefined as long as it is not complete. */
export function takePassword(buffer: Buffer): Taken | undefined {
  if (buffer.length < HEADER_BYTES) return undefined;
  const length = lengthAt(buffer, 1);
  if (buffer[0] !== PASSWORD_TYPE || length < HEADER_BYTES || length > MAX_PASSWORD_BYTES) return unreadable(buffer);
  if (buffer.length < 1 + length) return undefined;
  const password = buffer.toString("utf8", HEADER_BYTES, length);
  return { message: { kind: "password", password }, rest: buffer.subarray(1 + length) };
}

function readPacket(packet: Buffer): StartupMessage {
  switch (lengthAt(packet, 4)) {
    case SSL_REQUEST:
    case GSSENC_REQUEST:
      return { kind: "encryption" };
    case CANCEL_REQUEST:
      return { kind: "cancel", packet };
    case PROTOCOL_3_0:
      return { kind: "startup", parameters: readParameters(packet.toString("utf8", 8)) };
    default:
      return { kind: "unreadable" };
  }
}

function readParameters(text: string): Readonly<Record<string, string>> {
  const words = text.split("\0");
  const parameters: Record<string, string> = {};
  for (let at = 0; at + 1 < words.length; at += 2) {
    const name = words[at];
    if (name === undefined || name === "") break;
    parameters[name] = words[at + 1] ?? "";
  }
  return parameters;
}

function unreadable(rest: Buffer): Taken {
  return { message: { kind: "unreadable" }, rest };
}
