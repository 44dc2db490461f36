import { randomUUID } from "node:crypto";
import type { FunctionError, Reply, StreamHead } from "./reply.ts";

/** What may be said about one invocation. */
export interface InvokeOptions {
  /** Time it may take, from which its deadline follows, milliseconds. Default: the function's timeout. */
  readonly deadlineMs?: number;
  /**
   * For so long the process is awake before the event reaches it, so that it first learns what happened in its sleep, milliseconds. Default: 0, the event
   * comes together with such news.
   */
  readonly awakeMs?: number;
  /** Sees a streamed reply's raw bytes, prelude included, as they come. */
  readonly onChunk?: (chunk: Buffer) => void;
}

/** What came of an event. */
export interface Invocation<Value = unknown> {
  readonly requestId: string;
  /** What went wrong: in the handler, in the init phase, or on the platform (`Runtime.ExitError`, `Sandbox.Timedout`, `Function.ResponseSizeTooLarge`). */
  readonly error: FunctionError | undefined;
  /** The reply, read from JSON; undefined after an error, and of a streamed reply. */
  readonly value: Value | undefined;
  /** The reply as it came; of a streamed one what follows its prelude. */
  readonly body: Buffer;
  /** There when the handler streams. */
  readonly stream: StreamHead | undefined;
  /** Whether a process had to be started for it. */
  readonly coldStart: boolean;
  /** From handing over to the end of the reply, milliseconds; 0 when it was never handed over. */
  readonly durationMs: number;
}

/** An invocation on its way. */
export interface Pending {
  readonly requestId: string;
  /** The event, as JSON. */
  readonly body: string;
  readonly awakeMs: number;
  /** What is left of its time, milliseconds. */
  leftMs(): number;
  onChunk(chunk: Buffer): void;
  /** Starts its time; `onTimeout` is called when that runs out before an answer. */
  begin(onTimeout: () => void): void;
  isAnswered(): boolean;
  isTimedOut(): boolean;
  answer(reply: Reply): void;
  /** Tells the caller what it was answered, or that it timed out. */
  finish(): void;
  /** Tells the caller of an error, unless it timed out before. */
  fail(error: FunctionError): void;
}

/** Makes an invocation of an event, which has to be JSON. */
export function createInvocation<Value>(
  event: unknown,
  options: InvokeOptions & { readonly deadlineMs: number; readonly coldStart: boolean },
): { readonly pending: Pending; readonly result: Promise<Invocation<Value>> } {
  const { deadlineMs, coldStart, awakeMs = 0, onChunk } = options;
  const requestId = randomUUID();
  const { promise: result, resolve } = Promise.withResolvers<Invocation<Value>>();
  const timeout: FunctionError = {
    errorType: "Sandbox.Timedout",
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${(deadlineMs / 1_000).toFixed(2)} seconds`,
  };
  let timer: NodeJS.Timeout | undefined;
  let beganAt: number | undefined;
  let durationMs = 0;
  let reply: Reply | undefined;
  let timedOut = false;

  const stopTimer = () => {
    clearTimeout(timer);
    if (beganAt !== undefined) durationMs = performance.now() - beganAt;
    beganAt = undefined;
  };
  const tell = (error: FunctionError | undefined) => {
    stopTimer();
    const { body = Buffer.alloc(0), stream } = reply ?? {};
    const value = error === undefined && stream === undefined ? (JSON.parse(body.toString()) as Value) : undefined;
    resolve({ requestId, error, value, body, stream, coldStart, durationMs });
  };
  const pending: Pending = {
    requestId,
    body: JSON.stringify(event ?? null),
    awakeMs,
    leftMs: () => deadlineMs - (beganAt === undefined ? 0 : performance.now() - beganAt),
    onChunk: (chunk) => onChunk?.(chunk),
    begin(onTimeout) {
      beganAt = performance.now();
      timer = setTimeout(() => {
        timedOut = true;
        onTimeout();
      }, deadlineMs);
    },
    isAnswered: () => reply !== undefined,
    isTimedOut: () => timedOut,
    answer(given) {
      stopTimer();
      reply = given;
    },
    finish: () => tell(timedOut ? timeout : reply?.error),
    fail: (error) => tell(timedOut ? timeout : error),
  };
  return { pending, result };
}
