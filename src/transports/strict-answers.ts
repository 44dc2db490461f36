import { afterRows, HEADER_BYTES, lengthAt, messageType } from "./messages.ts";
import { isStep, type Step } from "./progress.ts";

/** The part of a pg connection whose answers are held in step. pg's and the one in Neon's driver both have it. */
export interface AnsweredConnection {
  readonly _emitMessage?: boolean;
  /** Told of what drivers hand to nobody: the steps of an answer that carry nothing. */
  onStep?: (step: Step) => void;
  attachListeners(stream: AnsweringStream): void;
  emit(event: string, message?: unknown): boolean;
  query(text: string): void;
  sync(): void;
  flush(): void;
  sendCopyFail(reason: string): void;
}

/** Where answers come from. */
export interface AnsweringStream {
  readonly destroyed?: boolean;
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  destroy(): unknown;
}

/** What the server sent is no answer to what was written. A connection ends with it as its error. */
export class OutOfStepError extends Error {
  override readonly name = "OutOfStepError";
  readonly outOfStep = true;
}

/** Whether an error is an {@link OutOfStepError}, of whichever copy of the package: copies share pools. */
export function isOutOfStep(failure: unknown): boolean {
  return failure instanceof Error && (failure as Partial<OutOfStepError>).outOfStep === true;
}

/**
 * Holds what a server sends against the protocol before the driver's parser reads it: what is no message, one whose contents do not agree with
 * its length, one that belongs elsewhere, and an answer to nothing that was written, ends the connection with an {@link OutOfStepError}. The
 * parser is given whole messages only, and neither its own exceptions nor those of whoever listens reach the socket: the former end the
 * connection, the latter are thrown on, as uncaught as they were.
 *
 * One `data` listener stays on the stream for good: pg-copy-streams takes it off, and calls it with what it has not read.
 * To be called before the connection opens. Source of the rules: libpq, fe-protocol3.c, pqParseInput3.
 */
export function holdInStep(connection: AnsweredConnection): void {
  const { attachListeners } = connection;
  const turns = countTurns(connection);
  connection.attachListeners = (stream) => {
    let parse: (bytes: Uint8Array) => void = () => {};
    let over = false;
    let opened = false;
    const end = (fault: OutOfStepError) => {
      over = true;
      connection.emit("error", fault);
      stream.destroy();
    };
    const feed = {
      on(event: "data" | "end", listener: (chunk: Uint8Array) => void) {
        if (event === "data") parse = listener;
        else stream.on("end", listener as () => void);
      },
    };
    // the parser's, not the connection's: only what was parsed is to be caught
    const parsed = {
      get _emitMessage() {
        return connection._emitMessage;
      },
      emit(event: string, message: unknown): boolean {
        if (over || stream.destroyed === true) return false;
        if (!opened) opened = event === "readyForQuery";
        try {
          if (event !== "dataRow" && isStep(event)) connection.onStep?.(event);
          return connection.emit(event, message);
        } catch (thrown) {
          // before the login is over only the driver itself listens
          if (!opened) {
            end(new OutOfStepError("The server sent what the driver cannot log in with.", { cause: thrown }));
            return true;
          }
          queueMicrotask(() => {
            throw thrown;
          });
          return true;
        }
      },
    };
    Reflect.apply(attachListeners, parsed, [feed]);
    const whole = wholeMessages(turns);
    stream.on("data", (chunk) => {
      if (over || stream.destroyed === true) return;
      const bytes = whole(chunk);
      // nothing of a packet in which something is wrong is believed: which of two answers is the right one?
      if (bytes === false) return end(new OutOfStepError("The server sent what is no answer to what was written."));
      try {
        if (bytes.length > 0) parse(bytes);
      } catch (unreadable) {
        end(new OutOfStepError("The server sent a message that cannot be read.", { cause: unreadable }));
      }
    });
  };
}

/** What is still to be answered on a connection. */
interface Turns {
  /** How many ReadyForQuery are still to come. The first is the login's. */
  due: number;
  login: boolean;
  /** Whether answers were asked for ahead of their Sync, as cursors do. */
  flushed: boolean;
  /** Whether an ERROR came: only ReadyForQuery follows. */
  failed: boolean;
  /** Whether COPY was refused: the Sync that was written before is not answered, the one behind is. */
  copyFailed: boolean;
}

/** Counts what is written to a connection that the server has to answer. */
function countTurns(connection: AnsweredConnection): Turns {
  const turns: Turns = { due: 1, login: true, flushed: false, failed: false, copyFailed: false };
  const { query, sync, flush, sendCopyFail } = connection;
  connection.query = (text) => {
    turns.due++;
    query.call(connection, text);
  };
  connection.sync = () => {
    if (turns.copyFailed) turns.copyFailed = false;
    else turns.due++;
    sync.call(connection);
  };
  connection.flush = () => {
    turns.flushed = true;
    flush.call(connection);
  };
  connection.sendCopyFail = (reason) => {
    turns.copyFailed = true;
    sendCopyFail.call(connection, reason);
  };
  return turns;
}

/** Whether a message of this kind may come now. */
function mayCome(turns: Turns, kind: string): boolean {
  switch (kind) {
    case "aside":
    case "error":
      return true;
    case "ready":
      return turns.due > 0;
    case "login":
      return turns.login;
    default:
      return (turns.due > 0 || turns.flushed) && !turns.login && !turns.failed;
  }
}

function noteCome(turns: Turns, kind: string): void {
  if (kind === "error") turns.failed = turns.due > 0 || turns.flushed;
  else if (kind === "ready") {
    turns.due--;
    turns.login = false;
    turns.flushed = false;
    turns.failed = false;
    turns.copyFailed = false;
  }
}

/**
 * Takes chunks cut anywhere, and gives the whole messages that are there now, none of them while one is not complete; false where something is
 * wrong. What was there before something was written is no answer to it: a chunk is judged as it comes.
 */
function wholeMessages(turns: Turns): (chunk: Uint8Array) => Uint8Array | false {
  /** The beginning of a message, in the chunks it came in. */
  let parts: Uint8Array[] = [];
  let held = 0;
  let needed = 0;
  return (chunk) => {
    let bytes = chunk;
    if (held > 0) {
      parts.push(chunk);
      held += chunk.length;
      if (held < needed) return nothing;
      bytes = joined(parts, held);
      parts = [];
      held = 0;
    }
    let at = 0;
    needed = HEADER_BYTES;
    while (at < bytes.length) {
      const type = messageType(bytes[at]);
      if (type === undefined || !mayCome(turns, type.kind)) return false;
      const behind = afterRows(bytes, at);
      if (behind > at) {
        at = behind;
        continue;
      }
      if (at + HEADER_BYTES > bytes.length) break;
      const length = lengthAt(bytes, at + 1);
      if (length < HEADER_BYTES - 1 || length > type.longest) return false;
      const end = at + 1 + length;
      if (end > bytes.length) {
        needed = end - at;
        break;
      }
      if (!type.agrees(bytes, at, end)) return false;
      noteCome(turns, type.kind);
      at = end;
    }
    if (at === bytes.length) return bytes;
    parts = [bytes.subarray(at)];
    held = bytes.length - at;
    return at === 0 ? nothing : bytes.subarray(0, at);
  };
}

const nothing = new Uint8Array(0);

/** Joined by their own kind of Buffer, which the driver's parser needs: not every runtime has a global one. */
function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const { concat } = (parts[0] as Uint8Array).constructor as unknown as {
    concat(parts: readonly Uint8Array[], length: number): Uint8Array;
  };
  return concat(parts, length);
}
