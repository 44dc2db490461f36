import { DecodeError } from "../errors/errors.ts";
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

/** How an exchange ended: `failure` is a driver's error, as it came. */
export interface Outcome {
  readonly failure: unknown;
}

export interface ExchangeOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
}

/**
 * Several statements in one write with one single Sync, so that the server treats them as one piece: after a failure it skips the rest.
 * A submittable for pg's `client.query`; it runs unchanged on the client in Neon's driver. It ends when the connection is ready again, or
 * gone, so whoever waits for it finds the connection's transaction status settled.
 * Protocol: PostgreSQL documentation, "Extended Query" and "Pipelining".
 */
export class Exchange {
  readonly answers: Answer[] = [];
  /** Whether any byte was handed to the socket. */
  sent = false;
  /** Set by the holder when nothing may be written any more. */
  abandoned = false;
  decodeError: DecodeError | undefined;
  readonly #statements: readonly Statement[];
  readonly #options: ExchangeOptions;
  readonly #onEnd: (outcome: Outcome | undefined) => void;
  #parsers: ((text: string) => unknown)[] = [];
  #emptyRow: Record<string, unknown> = {};
  #open: Answer = emptyAnswer();
  #ended = false;

  constructor(statements: readonly Statement[], options: ExchangeOptions, onEnd: (outcome: Outcome | undefined) => void) {
    this.#statements = statements;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  /** Commands that completed: on failure, the index of the statement that failed. */
  get completed(): number {
    return this.answers.length;
  }

  /** The exchange with a Sync before it, in the same write: its answer, told by `onAlive`, comes first. */
  asking(client: { query(submittable: object): unknown }, onAlive: () => void): object {
    return {
      submit: (connection: WireConnection) => this.submit(connection, true),
      handleReadyForQuery: () => {
        onAlive();
        client.query(this);
      },
      handleError: (failure: unknown) => this.handleError(failure),
    };
  }

  submit(connection: WireConnection, ask = false): Error | null {
    if (this.sent) return null;
    if (this.abandoned || connection.stream.writable === false) return new Error("The connection is closed.");
    this.sent = true;
    connection.stream.cork?.();
    if (ask) connection.sync();
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

  handleRowDescription(message: { readonly fields: readonly Field[] }): void {
    const { parsers } = this.#options;
    this.#open.fields = message.fields.map(plainField);
    this.#parsers = message.fields.map((field) => parsers.getTypeParser(field.dataTypeID, "text"));
    // A literal's own keys, so that rows are fast objects, and a column named __proto__ is a column.
    this.#emptyRow = Object.fromEntries(message.fields.map(({ name }) => [name, null]));
  }

  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void {
    if (this.decodeError !== undefined) return;
    try {
      this.#open.rows.push(this.#options.rowMode === "array" ? this.#arrayRow(message.fields) : this.#objectRow(message.fields));
    } catch {
      this.decodeError = decodeFailure();
    }
  }

  handleCommandComplete(message: { readonly text: string }): void {
    const tag = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/.exec(message.text);
    const count = tag?.[3] ?? tag?.[2];
    this.#open.command = tag?.[1] ?? null;
    this.#open.rowCount = count === undefined ? null : Number(count);
    this.#nextAnswer();
  }

  handleEmptyQuery(): void {
    this.#nextAnswer();
  }

  handleCopyInResponse(connection: WireConnection): void {
    // pg's own words, so that the server's message is the same over HTTP
    connection.sendCopyFail("No source stream defined");
    connection.sync();
  }

  handleCopyData(): void {}

  handlePortalSuspended(): void {}

  handleReadyForQuery(): void {
    this.#end(undefined);
  }

  handleError(failure: unknown, connection?: WireConnection): void {
    if (connection === undefined || !isErrorResponse(failure) || failure.severity === "FATAL" || failure.severity === "PANIC") {
      this.#end({ failure });
      return;
    }
    const settle = () => {
      connection.removeListener("readyForQuery", settle);
      connection.removeListener("end", settle);
      this.#end({ failure });
    };
    connection.once("readyForQuery", settle);
    connection.once("end", settle);
  }

  #objectRow(values: readonly (string | null)[]): Record<string, unknown> {
    const row = { ...this.#emptyRow };
    const { fields } = this.#open;
    for (let column = 0; column < values.length; column++) {
      const value = values[column] as string | null;
      row[(fields[column] as Field).name] = value === null ? null : (this.#parsers[column] as (text: string) => unknown)(value);
    }
    return row;
  }

  #arrayRow(values: readonly (string | null)[]): Record<string, unknown> {
    return values.map((value, column) => (value === null ? null : this.#parsers[column]?.(value))) as unknown as Record<string, unknown>;
  }

  #nextAnswer(): void {
    this.answers.push(this.#open);
    this.#open = emptyAnswer();
  }

  #end(outcome: Outcome | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#onEnd(outcome);
  }
}

function emptyAnswer(): Answer {
  return { rows: [], rowCount: null, command: null, fields: [] };
}

/** A column as a plain object, whichever class the driver made it of. */
export function plainField(field: Field): Field {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = field;
  return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format };
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
  return (
    failure instanceof Error &&
    "severity" in failure &&
    typeof failure.severity === "string" &&
    "code" in failure &&
    typeof failure.code === "string"
  );
}
