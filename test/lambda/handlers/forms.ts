import type { Writable } from "node:stream";
import { lambdaHandler } from "../../../src/adapters/lambda.ts";
import { createDatabase, isWarmlineError } from "../../../src/entry/node.ts";

/** What AWS's runtime client adds to the global scope. */
declare const awslambda: { streamifyResponse<Work>(work: Work): Work };

/** What is to be asked. */
export interface FormEvent {
  readonly text: string;
}

const db = createDatabase();

/** The first column of the first row, or the code of what failed. */
async function answerTo({ text }: FormEvent): Promise<unknown> {
  try {
    return Object.values((await db.query<Record<string, unknown>>(text)).rows[0] ?? {})[0];
  } catch (error) {
    if (isWarmlineError(error)) return error.code;
    throw error;
  }
}

const stream = async (event: FormEvent, reply: Writable, _context: unknown): Promise<void> => {
  reply.write("answer: ");
  reply.end(String(await answerTo(event)));
};

export const promised = lambdaHandler(db, answerTo);
export const immediate = lambdaHandler(db, ({ text }: FormEvent) => text.length);
export const throwing = lambdaHandler(db, (): never => {
  throw new RangeError("at once");
});
export const streamedInside = lambdaHandler(db, awslambda.streamifyResponse(stream));
export const streamedOutside = awslambda.streamifyResponse(lambdaHandler(db, stream));
export const withCallback = lambdaHandler(db, (_event: FormEvent, _context: unknown, callback: (error: null, reply: string) => void) => {
  callback(null, "called back");
});
