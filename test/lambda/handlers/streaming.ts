import type { Writable } from "node:stream";

/** What AWS's runtime client adds to the global scope. */
declare const awslambda: {
  streamifyResponse(handler: (event: StreamErrand, stream: Writable) => Promise<void>): unknown;
  readonly HttpResponseStream: { from(stream: Writable, prelude: unknown): Writable };
};

/** What is to be streamed. */
export interface StreamErrand {
  /** Asked between the first word and the second; the stream goes on when it answers. */
  readonly between?: string;
  readonly prelude?: unknown;
  readonly fails?: string;
}

export const handler = awslambda.streamifyResponse(async ({ between, prelude, fails }, plain) => {
  const stream = prelude === undefined ? plain : awslambda.HttpResponseStream.from(plain, prelude);
  stream.write("first ");
  if (between !== undefined) await fetch(between);
  if (fails !== undefined) throw new RangeError(fails);
  stream.end("second");
});
