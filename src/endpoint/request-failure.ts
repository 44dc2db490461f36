import { type ErrorResponse, isErrorResponse } from "../wire/error-response.ts";

/** A request that ends with an error status. `body` is ready to be sent as JSON. */
export class RequestFailure extends Error {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, body: Readonly<Record<string, unknown>>) {
    super(`HTTP status ${status}`);
    this.status = status;
    this.body = body;
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
export function errorBody(error: ServerErrorFields): Readonly<Record<string, unknown>> {
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
  return new RequestFailure(400, errorBody({ message }));
}

/** The request's body is over the limit. */
export function requestTooLarge(maxBytes: number): RequestFailure {
  return new RequestFailure(413, errorBody({ message: `request is too large (max is ${maxBytes} bytes)` }));
}

/** The answer is over the limit. A single statement may have been done; a batch was rolled back. */
export function responseTooLarge(maxBytes: number): RequestFailure {
  return new RequestFailure(507, errorBody({ message: `response is too large (max is ${maxBytes} bytes)` }));
}

/** The client went away, or the endpoint is stopping. */
export function queryCancelled(): RequestFailure {
  return new RequestFailure(400, { message: "Query cancelled, connection was terminated", code: "08P01" });
}

/** A generic API error; its body has `msg`, not `message`. */
export function apiError(status: number, msg: string): RequestFailure {
  return new RequestFailure(status, { msg });
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
  return new RequestFailure(SERVER_FAULT.test(fields.code ?? "") ? 500 : 400, errorBody(fields));
}

/** A statement that failed: the server's report, or a connection lost under it. Both are 400; the second has no code. */
export function statementFailure(error: unknown): RequestFailure {
  return new RequestFailure(400, errorBody(serverErrorFields(error) ?? { message: "connection closed" }));
}
