import { look } from "../errors/look.ts";
import { failureOf } from "./call-failure.ts";
import type { TracingMessage, TracingMessages } from "./messages.ts";

/** A channel of `node:diagnostics_channel`, as far as it is published to. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
  runStores<T>(message: unknown, work: () => T): T;
}

/** The events of an operation. Its own `tracePromise` is not used: it would put what a call gave, rows, into the message. */
interface TracingChannel {
  readonly start: Channel;
  readonly end: Channel;
  readonly asyncStart: Channel;
  readonly asyncEnd: Channel;
  readonly error: Channel;
}

interface DiagnosticsChannel {
  channel(name: string): Channel;
  tracingChannel(name: keyof TracingMessages): TracingChannel;
}

/**
 * By name, so that nothing of Node is in a bundle for the edge. Not before the first call: to read `process` takes workerd 3 ms of CPU, which no
 * start needs.
 */
function findChannels(): DiagnosticsChannel | undefined {
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: "node:diagnostics_channel"): DiagnosticsChannel | undefined };
  };
  return process?.getBuiltinModule?.("node:diagnostics_channel");
}

/** Held for good, as the one below: the runtime forgets a channel nobody holds. */
const held: { -readonly [Name in keyof TracingMessages]?: TracingChannel | undefined } = {};

/** Undefined where the runtime has none. */
export function tracingChannel(name: keyof TracingMessages): TracingChannel | undefined {
  held[name] ??= findChannels()?.tracingChannel(name);
  return held[name];
}

let release: Channel | undefined;

export function releaseChannel(): Channel | undefined {
  release ??= findChannels()?.channel("warmline:release");
  return release;
}

/** Whether a subscriber is being told: what it calls at once is told to nobody, or it would hear of that, and call again. */
let isTelling = false;

/** Whether anybody hears of an operation that begins now. */
export function isHeard(channel: TracingChannel | undefined): channel is TracingChannel {
  if (channel === undefined || isTelling) return false;
  const { start, end, asyncStart, asyncEnd, error } = channel;
  return asyncEnd.hasSubscribers || start.hasSubscribers || error.hasSubscribers || asyncStart.hasSubscribers || end.hasSubscribers;
}

/** What is known of an operation when it begins. */
export type Begun = Pick<TracingMessage, "serverAddress" | "serverPort" | "database" | "transport">;

/** The message of one operation, whose fields are filled in as they become known. Plain data: a Worker's tail is sent a clone of it. */
export type Message = Writable<Omit<TracingMessage, "runIn">>;

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** The message of an operation that begins. */
export function messageOf<Known extends object>(begun: Begun, known: Known): Message & Known {
  return { ...begun, connectionId: null, code: null, fate: null, sqlState: null, ...known };
}

/** Fills in what became known; not where a subscriber has frozen the message, or put something of its own into it that throws. */
export function note(message: Message, known: object): void {
  look(() => Object.assign(message, known), undefined);
}

/** To be called at the end of an operation, with what failed. */
type Settle = (...failure: readonly [error?: unknown]) => void;

/**
 * Begins an operation that is heard, in the stores its subscribers have bound, and tells of its end when `settle` is called, in the async context
 * of whoever calls that. What a subscriber throws is the runtime's to report, and reaches nobody here.
 */
export function begin<T>(channel: TracingChannel, message: Message, work: (settle: Settle) => T): T {
  let isBegun = false;
  let result!: () => T;
  const settle: Settle = (...failure) => {
    if (failure.length > 0) fail(channel, message, failure[0]);
    publish(channel.asyncStart, message);
    publish(channel.asyncEnd, message);
  };
  const first = () => {
    if (isBegun) return;
    isBegun = true;
    const told = isTelling;
    isTelling = false;
    try {
      const value = work(settle);
      result = () => value;
    } catch (thrown) {
      result = () => {
        throw thrown;
      };
      fail(channel, message, thrown);
    }
    isTelling = told;
    publish(channel.end, message);
  };
  let run = first;
  // seen by whoever asks for it, and no part of the data
  Object.defineProperty(message, "runIn", {
    value(wrap: (run: () => void) => void) {
      const inner = run;
      run = () => attempt(() => wrap(inner));
    },
  });
  attempt(() => channel.start.runStores(message, () => run()));
  // where a subscriber kept it from being run
  first();
  return result();
}

/** What is done when a promise has settled, before it is told of. */
interface Settling<T> {
  readonly note?: (value: T) => void;
  readonly settled?: () => void;
}

/** Traces what gives a promise. */
export function trace<T>(
  channel: TracingChannel,
  message: Message,
  { work, note, settled }: Settling<T> & { readonly work: () => Promise<T> },
): Promise<T> {
  return begin(channel, message, (settle) =>
    work().then(
      (value) => {
        note?.(value);
        settled?.();
        settle();
        return value;
      },
      (error) => {
        settled?.();
        settle(error);
        throw error;
      },
    ),
  );
}

/** Tells of something that only happens. */
export function publish(channel: Channel, message: unknown): void {
  attempt(() => channel.publish(message));
}

function fail(channel: TracingChannel, message: Message, error: unknown): void {
  note(message, { error, ...failureOf(error) });
  publish(channel.error, message);
}

/** Runs what is not ours. Node reports by itself what a subscriber throws; elsewhere, and of a function around a call, it is as unhandled as a rejection nobody hears. */
function attempt(run: () => void): void {
  const told = isTelling;
  isTelling = true;
  try {
    run();
  } catch (error) {
    Promise.reject(error);
  }
  isTelling = told;
}
