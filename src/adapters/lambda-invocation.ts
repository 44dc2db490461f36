import { UsageError } from "../errors/errors.ts";

/** The part of an invocation's context that tells its time. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/**
 * Between the end of an invocation's calls and its own, milliseconds: what is given up has 250 ms to answer a CancelRequest, and the reply has
 * to be made and sent.
 */
const ROOM_TO_ANSWER_MS = 500;

/** To send a reply that is there, milliseconds. */
const ROOM_TO_REPLY_MS = 100;

/** How long a goodbye may take, milliseconds: longer than the pool waits for one. */
const LONGEST_GOODBYE_MS = 2_000;

/** The longest there is. Source: AWS's Lambda quotas, "Function timeout". */
const LONGEST_INVOCATION_MS = 900_000;

/**
 * The context of an invocation: the last argument of a handler, behind the event, and behind the stream of one that streams. Undefined where
 * whoever calls gives none, as a test may.
 * @throws UsageError CALLBACK_HANDLER for a handler that waits for a callback, which nobody would give it
 */
export function readContext(handler: { readonly length: number }, args: readonly unknown[]): LambdaContext | undefined {
  const [, second, third] = args;
  if (!isContext(second)) return isContext(third) ? third : undefined;
  if (handler.length > 2) {
    throw new UsageError(
      "A handler with a callback gets none from lambdaHandler. Return the reply, or a promise of it, and take two arguments.",
      {
        code: "CALLBACK_HANDLER",
      },
    );
  }
  return second;
}

/**
 * When the calls of an invocation have to be over, by the wall clock, with room to answer; of one that is short, half of its time. Undefined where
 * nobody knows.
 */
export function callsEndOf(context: LambdaContext | undefined): number | undefined {
  const leftMs = leftMsOf(context);
  return leftMs && Date.now() + leftMs - Math.min(ROOM_TO_ANSWER_MS, leftMs / 2);
}

/** How long a reply that is there may wait for a goodbye, milliseconds. */
export function leftToReplyMs(context: LambdaContext | undefined): number {
  return Math.max(0, Math.min(LONGEST_GOODBYE_MS, (leftMsOf(context) ?? LONGEST_INVOCATION_MS) - ROOM_TO_REPLY_MS));
}

/** Undefined without a context, where it throws, and where the clock is so far off that the time left is none, or more than any invocation has. */
function leftMsOf(context: LambdaContext | undefined): number | undefined {
  try {
    const leftMs = Number(context?.getRemainingTimeInMillis());
    return leftMs > 0 && leftMs <= LONGEST_INVOCATION_MS ? leftMs : undefined;
  } catch {
    return undefined;
  }
}

function isContext(value: unknown): value is LambdaContext {
  try {
    return typeof (value as Partial<LambdaContext> | null | undefined)?.getRemainingTimeInMillis === "function";
  } catch {
    return false;
  }
}
