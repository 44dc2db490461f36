import type { QueryConfig } from "pg";
import type { ServerClient, WireConnection } from "./server-client.ts";

/** A statement with its parameters in Postgres' text format. */
export interface ServerStatement {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/** A column as the server describes it. */
export interface ServerField {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
}

/** What one statement gave, undecoded. */
export interface ServerResult {
  readonly fields: readonly ServerField[];
  readonly rows: readonly (readonly (string | null)[])[];
  /** The command tag, `INSERT 0 1`; empty for an empty statement. */
  readonly tag: string;
}

/** The rows of an exchange were over its limit. The statement may still be running. */
export class RowsTooLargeError extends Error {}

/**
 * Sends statements unnamed, by the extended protocol, in one write with a single Sync, and gives a result for each. Rejects with the server's
 * first error, after which the rest is skipped, or with a {@link RowsTooLargeError} as soon as the rows hold more than `maxBytes`.
 */
export function exchange(client: ServerClient, statements: readonly ServerStatement[], maxBytes: number): Promise<ServerResult[]> {
  return new Promise((resolve, reject) => {
    const results: ServerResult[] = [];
    let fields: readonly ServerField[] = [];
    let rows: (readonly (string | null)[])[] = [];
    let bytes = 0;
    const complete = (tag: string) => {
      results.push({ fields, rows, tag });
      fields = [];
      rows = [];
    };
    const submittable = {
      // for tracers that patch pg's client: they read the text, and wait for the callback
      name: null,
      text: statements.map(({ text }) => text).join("; "),
      callback: undefined as ((error: Error | null) => void) | undefined,
      submit: () => submit(client.wire, statements),
      handleRowDescription: (message: { readonly fields: readonly ServerField[] }) => {
        fields = message.fields;
      },
      handleDataRow: (message: { readonly fields: readonly (string | null)[]; readonly length: number }) => {
        bytes += message.length;
        if (bytes <= maxBytes) rows.push(message.fields);
        else reject(new RowsTooLargeError());
      },
      handleCommandComplete: (message: { readonly text: string }) => complete(message.text),
      handleEmptyQuery: () => complete(""),
      handleCopyInResponse: () => {
        if (results.length === statements.length - 1) refuseCopy(client.wire);
      },
      handleCopyData: () => undefined,
      handlePortalSuspended: () => undefined,
      handleError: (error: Error) => {
        reject(error);
        submittable.callback?.(error);
      },
      handleReadyForQuery: () => {
        resolve(results);
        submittable.callback?.(null);
      },
    };
    client.query(submittable as unknown as QueryConfig, (error: Error | null) => error !== null && reject(error));
  });
}

function submit(wire: WireConnection, statements: readonly ServerStatement[]): void {
  wire.stream.cork();
  try {
    for (const { text, values } of statements) {
      wire.parse({ text });
      wire.bind({ values });
      wire.describe({ type: "P", name: "" });
      wire.execute({ portal: "", rows: 0 });
    }
    wire.sync();
  } finally {
    wire.stream.uncork();
  }
}

/**
 * There is no data to copy. A server that waits for some has passed over the exchange's Sync, so the refusal brings another. It is for the last
 * statement alone: what stands behind a copy the server takes for its data, answers with 08P01 and then ends the connection by itself (a FATAL),
 * and what is written to a connection that ends is answered with a reset. Source: PostgreSQL, `copyfromparse.c`,
 * CopyGetData; measured on 15 and 18.
 */
function refuseCopy(wire: WireConnection): void {
  wire.sendCopyFail("No source stream defined");
  wire.sync();
}
