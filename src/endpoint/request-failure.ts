import { conditionName } from "../errors/condition.ts";
import { type ErrorResponse, isErrorResponse } from "../wire/error-response.ts";
import type { EndpointFailure } from "./endpoint-events.ts";
import { readReachFailure, wordsOfReachFailure } from "./reach-failure.ts";

/** A request that ends with an error status. `body` is ready to be sent as JSON; `failure` is what is told of it. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly failure: EndpointFailure;

  constructor(status: number, body: Readonly<Record<string, unknown>>, failure: EndpointFailure) {
    super(`HTTP status ${status}`);
    this.status = status;
    this.body = body;
    this.failure = failure;
  }
}

/** What a server reports, or the endpoint in its place, by the names pg gives the fields. */
export type ServerErrorFields = Pick<ErrorResponse, "message"> & Partial<ErrorResponse>;

/** All connections that the endpoint may hold are in use, and too many wait, or waited for too long. */
export class NoRoomError extends Error {}

/** What is told where no connection came free: the code of a server without a slot. Source: PostgreSQL, `proc.c`. */
const noRoom: ServerErrorFields = {
  severity: "FATAL",
  code: "53300",
  message: "too many connections: all that the local endpoint may hold are in use",
};

/** The server's own report, when `error` is one, and what the endpoint says in its place where it has no room. */
export function serverErrorFields(error: unknown): ServerErrorFields | undefined {
  if (error instanceof NoRoomError) return noRoom;
  return isErrorResponse(error) ? error : undefined;
}

/**
 * The 17 keys of Neon's error body. Where no server reported, only `message` says something: `code` and `severity` are empty texts and the
 * others null, as Neon's proxy writes them.
 */
function errorBody(error: ServerErrorFields): Readonly<Record<string, unknown>> {
  return {
    message: error.message,
    code: error.code ?? "",
    detail: error.detail ?? null,
    hint: error.hint ?? null,
    position: error.position ?? null,
    internalPosition: error.internalPosition ?? null,
    internalQuery: error.internalQuery ?? null,
    severity: error.severity ?? "",
    where: error.where ?? null,
    table: error.table ?? null,
    column: error.column ?? null,
    schema: error.schema ?? null,
    dataType: error.dataType ?? null,
    constraint: error.constraint ?? null,
    file: error.file ?? null,
    line: error.line ?? null,
    routine: error.routine ?? null,
  };
}

/** A request that is wrong in itself: bad header, bad body, bad credentials. */
export function badRequest(message: string): RequestFailure {
  return new RequestFailure(400, errorBody({ message }), { sqlState: null, reason: message });
}

/** The request's body is over the limit. */
export function requestTooLarge(maxBytes: number): RequestFailure {
  return tooLarge(413, `request is too large (max is ${maxBytes} bytes)`);
}

/** The answer is over the limit. A single statement may have been done; a batch was rolled back. */
export function responseTooLarge(maxBytes: number): RequestFailure {
  return tooLarge(507, `response is too large (max is ${maxBytes} bytes)`);
}

function tooLarge(status: 413 | 507, message: string): RequestFailure {
  return new RequestFailure(status, errorBody({ message }), { sqlState: null, reason: message });
}

/** The client went away, or the endpoint is stopping. */
export function queryCancelled(): RequestFailure {
  const body = { message: "Query cancelled, connection was terminated", code: "08P01" };
  return new RequestFailure(400, body, { sqlState: body.code, reason: "the client went away, or the endpoint is stopping" });
}

/** A generic API error; its body has `msg`, not `message`. */
export function apiError(status: number, msg: string): RequestFailure {
  return new RequestFailure(status, { msg }, { sqlState: null, reason: msg });
}

/** SQLSTATE classes of a server that cannot serve: connection, resources, operator, system and internal. Source: PostgreSQL's documentation, error codes. */
const SERVER_FAULT = /^(08|53|57|58|XX)/;

/** What is said where no server was reached, over HTTP and over WebSocket. The words are those of Neon's proxy (`COULD_NOT_CONNECT`). */
export const notReached: ServerErrorFields = { severity: "FATAL", code: "08001", message: "Couldn't connect to compute node" };

/**
 * A login that failed: 400 for what the server refuses about the request, credentials, an unknown database or startup parameter; 500 for a
 * server that cannot serve, reached or not. All that the server said is handed on, its FATAL too: that, and a SQLSTATE that only a login ends
 * with, proves that no statement began. Neon's proxy, which checks passwords itself, says of a wrong one no more than a message.
 */
export function loginFailure(error: unknown): RequestFailure {
  const fields = serverErrorFields(error) ?? notReached;
  return new RequestFailure(SERVER_FAULT.test(fields.code ?? "") ? 500 : 400, errorBody(fields), loginFailureOf(error));
}

/** What is told of a login that failed. */
export function loginFailureOf(error: unknown): EndpointFailure {
  if (serverErrorFields(error) !== undefined) return reportedFailure(error);
  const why = wordsOfReachFailure(readReachFailure(error));
  return { sqlState: notReached.code ?? null, reason: `the server was not reached: ${why}` };
}

/** A statement that failed: the server's report, or a connection lost under it. Both are 400; the second has no code. */
export function statementFailure(error: unknown): RequestFailure {
  return new RequestFailure(400, errorBody(serverErrorFields(error) ?? { message: "connection closed" }), reportedFailure(error));
}

/** A server's own words may quote values: its condition stands for them. */
function reportedFailure(error: unknown): EndpointFailure {
  if (error instanceof NoRoomError) return { sqlState: noRoom.code ?? null, reason: noRoom.message };
  if (!isErrorResponse(error)) return { sqlState: null, reason: "the connection to the server was lost" };
  return { sqlState: error.code, reason: conditionName(error.code) };
}
