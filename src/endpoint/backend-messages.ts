import { errorFields } from "../wire/error-response.ts";
import type { ServerErrorFields } from "./request-failure.ts";

/** Asks the client for its password in clear text. Source for all of this file: PostgreSQL documentation, message formats. */
export function authenticationCleartextPassword(): Buffer {
  return message("R", int32(3));
}

/** Tells the client that it is logged in. */
export function authenticationOk(): Buffer {
  return message("R", int32(0));
}

/** Tells the client a setting of the server. */
export function parameterStatus(name: string, value: string): Buffer {
  return message("S", cstring(name), cstring(value));
}

/** Hands the client the key for cancelling its statements. */
export function backendKeyData(processId: number, secretKey: number): Buffer {
  return message("K", int32(processId), int32(secretKey));
}

/** Tells the client that it may send statements, outside any transaction. */
export function readyForQuery(): Buffer {
  return message("Z", Buffer.from("I"));
}

/** An error, with all the fields that are known of it. */
export function errorResponse(error: ServerErrorFields): Buffer {
  const parts: Buffer[] = [];
  for (const [letter, name] of Object.entries(errorFields)) {
    const value = error[name];
    // the severity twice: in the server's language, and in English
    for (const type of value === undefined ? "" : letter === "S" ? "SV" : letter) parts.push(Buffer.from(type), cstring(value ?? ""));
  }
  return message("E", ...parts, Buffer.alloc(1));
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}
