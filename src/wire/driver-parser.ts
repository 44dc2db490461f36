import type { MessageBytes } from "./message-bytes.ts";
import type { WritingConnection } from "./turns.ts";

/** The transaction status as ReadyForQuery tells it: idle, in a transaction, in one that failed. */
export type StatusByte = "I" | "T" | "E";

/** Where answers come from, and messages go. */
export interface DriverStream {
  readonly writable?: boolean;
  readonly destroyed?: boolean;
  on(event: "data", listener: (chunk: MessageBytes) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  write(bytes: Uint8Array): unknown;
  destroy(): unknown;
}

/** The part of a pg connection that a link reads and writes. pg's and the one in Neon's driver both have it. */
export interface DriverConnection extends WritingConnection {
  readonly _emitMessage?: boolean;
  readonly stream: DriverStream;
  attachListeners(stream: DriverStream): void;
  on(event: "error" | "end", listener: (failure?: unknown) => void): unknown;
  emit(event: string, message?: unknown): boolean;
}

/** What the driver's parser is put on, and who hears of what it makes of its messages. */
interface ParserPlace {
  readonly stream: DriverStream;
  readonly attachListeners: DriverConnection["attachListeners"];
  /** Whether nothing is believed any more. */
  readonly isDead: () => boolean;
  readonly onReady: (status: StatusByte) => void;
  readonly onFault: (what: string, cause: unknown) => void;
}

/** The driver's own parser, on no stream: whole messages are handed to it. */
export function driverParser(connection: DriverConnection, place: ParserPlace): (bytes: MessageBytes) => void {
  const { stream, attachListeners, isDead, onReady, onFault } = place;
  let parse: (bytes: MessageBytes) => void = () => {};
  let opened = false;
  const feed = {
    on(event: "data" | "end", listener: (bytes: MessageBytes) => void) {
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
      if (isDead()) return false;
      if (event === "readyForQuery") {
        opened = true;
        onReady((message as { readonly status: StatusByte }).status);
      }
      try {
        return connection.emit(event, message);
      } catch (thrown) {
        // before the login is over only the driver itself listens
        if (opened) throwOn(thrown);
        else onFault("The server sent what the driver cannot log in with.", thrown);
        return true;
      }
    },
  };
  Reflect.apply(attachListeners, parsed, [feed]);
  return (bytes) => {
    try {
      parse(bytes);
    } catch (unreadable) {
      onFault("The server sent a message that cannot be read.", unreadable);
    }
  };
}

/** What a listener throws is as uncaught as it was, and harms nobody else. */
export function throwOn(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
