import type { Statement } from "../transports/transport.ts";
import type { Answer } from "../wire/answer.ts";
import { errorOf } from "../wire/error-response.ts";
import { Exchange, type ExchangeFailure } from "../wire/exchange.ts";
import { type SubmitClient, submit } from "../wire/submit.ts";
import type { ServerClient } from "./server-client.ts";

/** What one statement gave, undecoded. */
export interface ServerResult extends Pick<Answer, "fields" | "command" | "rowCount"> {
  readonly rows: readonly (readonly (string | null)[])[];
}

/** The rows of an exchange were over its limit. The statement may still be running. */
export class RowsTooLargeError extends Error {}

/** Values stay the text they come as. */
const asText = { getTypeParser: () => (text: string) => text };

/**
 * Sends statements unnamed, by the extended protocol, in one write with a single Sync, and gives a result for each. Rejects with the server's
 * first error, after which the rest is skipped, or with a {@link RowsTooLargeError} as soon as the rows hold more than `maxBytes`.
 */
export function exchange(client: ServerClient, statements: readonly Statement[], maxBytes: number): Promise<ServerResult[]> {
  return new Promise((resolve, reject) => {
    const onTooLarge = () => reject(new RowsTooLargeError());
    const options = { rowMode: "array", parsers: asText, maxResponseBytes: maxBytes, onTooLarge } as const;
    const sent: Exchange = new Exchange(statements, options, undefined, (failure) => {
      const error = failure === undefined ? null : failureOf(failure);
      if (error === null) resolve(sent.answers as unknown as ServerResult[]);
      else reject(error);
      sent.callback?.(error);
    });
    submit(client as SubmitClient, sent);
  });
}

/** The server's own report, or what says that there is none. */
function failureOf(failure: ExchangeFailure): Error {
  return failure.kind === "refused" ? errorOf(failure.report) : new Error("The connection was lost.");
}
