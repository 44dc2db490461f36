import type { IncomingMessage } from "node:http";
import { parameterText } from "./parameters.ts";
import { badRequest, queryCancelled, requestTooLarge } from "./request-failure.ts";

/** One query of a request. */
export interface RequestedQuery {
  readonly text: string;
  readonly values: readonly (string | null)[];
  /** Undefined where the header `Neon-Array-Mode` decides. */
  readonly arrayMode: boolean | undefined;
}

/** What a request's body asks for: one query, or a batch in one transaction. */
export type Payload =
  | { readonly kind: "single"; readonly query: RequestedQuery }
  | { readonly kind: "batch"; readonly queries: readonly RequestedQuery[] };

/** Most parameters a Bind message can count. Source: PostgreSQL documentation, message formats (Bind, Int16). */
const MAX_PARAMETERS = 65_535;

/**
 * Reads the whole body. One that is over `maxBytes` is still taken from the wire, so that the client reads its 413 and not a reset, but not
 * kept.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    }
  } catch {
    throw queryCancelled();
  }
  if (length > maxBytes) throw requestTooLarge(maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw badBody("it is not UTF-8");
  }
}

/** Reads `{"query","params","arrayMode"?}` or `{"queries":[…]}`. Throws a 400 that quotes nothing of the body. */
export function parsePayload(body: string): Payload {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    throw badBody("it is not JSON");
  }
  if (isRecord(json) && typeof json.query === "string") return { kind: "single", query: readQuery(json) };
  if (isRecord(json) && Array.isArray(json.queries)) return { kind: "batch", queries: json.queries.map(readQuery) };
  throw badBody('it has neither "query" nor "queries"');
}

function readQuery(json: unknown): RequestedQuery {
  if (!isRecord(json) || typeof json.query !== "string") throw badBody('a query has no text in "query"');
  const { query: text, params = [], arrayMode = null } = json as { query: string; params?: unknown; arrayMode?: unknown };
  if (!Array.isArray(params)) throw badBody('"params" is not an array');
  if (arrayMode !== null && typeof arrayMode !== "boolean") throw badBody('"arrayMode" is not a boolean');
  if (params.length > MAX_PARAMETERS) throw badRequest(`a query has more than ${MAX_PARAMETERS} parameters`);
  if (text.includes("\0")) throw badRequest("a query's text contains a NUL character");
  return { text, values: params.map(readParameter), arrayMode: arrayMode ?? undefined };
}

/** JSON is read at any depth, and written only as deep as the stack goes. */
function readParameter(value: unknown): string | null {
  try {
    return parameterText(value);
  } catch {
    throw badBody("a parameter is nested too deeply");
  }
}

function badBody(reason: string) {
  return badRequest(`could not parse the HTTP request body: ${reason}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
