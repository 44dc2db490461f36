import { DecodeError } from "../errors/errors.ts";
import { endsConnection } from "../errors/sqlstate.ts";
import type { Submittable, Told } from "./submit.ts";
import type { Field, ParserSet, Statement } from "./transport.ts";

/** The part of a pg connection an exchange writes to. pg's and the one in Neon's driver both have it. */
export interface WireConnection {
  readonly stream: { readonly writable?: boolean; cork?(): void; uncork?(): void; destroy(): unknown };
  parse(message: { readonly text: string; readonly name: string }, more?: boolean): void;
  bind(message: { readonly values: (string | null)[] }, more?: boolean): void;
  describe(message: { readonly type: "P"; readonly name: string }, more?: boolean): void;
  execute(message: Record<string, never>, more?: boolean): void;
  query(text: string): void;
  sync(): void;
  sendCopyFail(reason: string): void;
  once(event: "readyForQuery" | "end", listener: () => void): unknown;
  removeListener(event: "readyForQuery" | "end", listener: () => void): unknown;
}

/** What a statement gave, before the way it came is added. */
export interface Answer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string | null;
  fields: readonly Field[];
}

export interface ExchangeOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
  /** A text of several statements, sent by the simple protocol in place of the others; its rows are left aside. */
  readonly script?: string | undefined;
}

/**
 * Several statements in one write with one single Sync, so that the server treats them as one piece: after a failure it skips the rest.
 * A submittable for pg's `client.query`; it runs unchanged on the client in Neon's driver. It ends when the connection is ready again, or
 * gone, so whoever waits for it finds the connection's transaction status settled.
 * Protocol: PostgreSQL documentation, "Extended Query" and "Pipelining".
 */
export class Exchange implements Submittable {
  readonly name = null;
  callback: Told | undefined;
  readonly answers: Answer[] = [];
  /** Whether any byte was handed to the socket. */
  sent = false;
  /** Set by the holder when nothing may be written any more. */
  abandoned = false;
  readonly #statements: readonly Statement[];
  readonly #options: ExchangeOptions;
  readonly #onEnd: (failure?: unknown) => void;
  #decodeError: DecodeError | undefined;
  #parsers: ((text: string) => unknown)[] = [];
  #keys: (string | number)[] = [];
  #emptyRow: Record<string, unknown> = {};
  #open: Answer = emptyAnswer();
  #ended = false;

  /** `onEnd` is called once; `failure` is a driver's error as it came, or one of this package's own. It tells the callback what it made of it. */
  constructor(statements: readonly Statement[], options: ExchangeOptions, onEnd: (failure?: unknown) => void) {
    this.#statements = statements;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  get text(): string {
    return this.#options.script ?? this.#statements.map(({ text }) => text).join("; ");
  }

  /** Commands that completed: on failure, the index of the statement that failed. */
  get completed(): number {
    return this.answers.length;
  }

  submit(connection: WireConnection): Error | null {
    if (this.sent) return null;
    if (this.abandoned || connection.stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    const { script } = this.#options;
    if (script !== undefined) {
      connection.query(script);
      return null;
    }
    connection.stream.cork?.();
    for (const { text, values } of this.#statements) {
      connection.parse({ text, name: "" }, true);
      connection.bind({ values: values as (string | null)[] }, true);
      connection.describe({ type: "P", name: "" }, true);
      connection.execute({}, true);
    }
    connection.sync();
    connection.stream.uncork?.();
    return null;
  }

  handleRowDescription({ fields }: { readonly fields: readonly Field[] }): void {
    const { parsers, rowMode } = this.#options;
    this.#open.fields = fields.map(plainField);
    this.#parsers = fields.map(({ dataTypeID }) => parsers.getTypeParser(dataTypeID, "text"));
    this.#keys = fields.map(({ name }, column) => (rowMode === "array" ? column : name));
    // A literal's own keys, so that rows are fast objects, and a column named __proto__ is a column.
    this.#emptyRow = Object.fromEntries(fields.map(({ name }) => [name, null]));
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const { rowMode, script } = this.#options;
    if (this.#decodeError !== undefined || script !== undefined) return;
    try {
      const row = (rowMode === "array" ? [] : { ...this.#emptyRow }) as Record<string | number, unknown>;
      for (let column = 0; column < fields.length; column++) {
        const value = fields[column] as string | null;
        row[this.#keys[column] as string] = value === null ? null : this.#parsers[column]?.(value);
      }
      this.#open.rows.push(row);
    } catch {
      this.#decodeError = decodeFailure();
    }
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    const [, command = null, count] = /^([A-Za-z]+)(?:.* (\d+)$)?/.exec(text) ?? [];
    this.#open.command = command;
    this.#open.rowCount = count === undefined ? null : Number(count);
    this.handleEmptyQuery();
  }

  handleEmptyQuery(): void {
    this.answers.push(this.#open);
    this.#open = emptyAnswer();
  }

  handleCopyInResponse(connection: WireConnection): void {
    // pg's own words, so that the server's message is the same over HTTP
    connection.sendCopyFail("No source stream defined");
    connection.sync();
  }

  handleCopyData(): void {}

  handlePortalSuspended(): void {}

  handleReadyForQuery(): void {
    this.#end(this.#decodeError);
  }

  handleError(failure: unknown, connection?: WireConnection): void {
    if (connection === undefined || isFatal(failure)) {
      this.#end(failure);
      return;
    }
    const settle = () => {
      connection.removeListener("readyForQuery", settle);
      connection.removeListener("end", settle);
      this.#end(failure);
    };
    connection.once("readyForQuery", settle);
    connection.once("end", settle);
  }

  #end(failure: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(failure);
  }
}

function emptyAnswer(): Answer {
  return { rows: [], rowCount: null, command: null, fields: [] };
}

/** A column as a plain object, whichever class the driver made it of. */
export function plainField(field: Field): Field {
  return { ...field };
}

/** A type parser threw. Its own message may quote the value, so it is not passed on. */
export function decodeFailure(): DecodeError {
  return new DecodeError("The statement was done, but a parser in the types setting threw.", {
    code: "DECODE_FAILED",
    fate: "applied",
  });
}

/** Whether a driver's error is the server's ErrorResponse: only these carry a severity. */
export function isErrorResponse(failure: unknown): failure is Error & { readonly severity: string; readonly code: string } {
  const { severity, code } = (failure ?? {}) as { readonly severity?: unknown; readonly code?: unknown };
  return failure instanceof Error && typeof severity === "string" && typeof code === "string";
}

/** Whether nothing can follow on the connection. */
export function isFatal(failure: unknown): boolean {
  return !isErrorResponse(failure) || endsConnection(failure.severity);
}
