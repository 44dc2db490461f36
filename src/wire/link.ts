import { Outbox } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { DATA_ROW, HEADER_BYTES, lengthAt, messageType } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";
import { OutOfStepError } from "./out-of-step.ts";
import { Turns, type WritingConnection } from "./turns.ts";

/** The transaction status as ReadyForQuery tells it: idle, in a transaction, in one that failed. */
export type StatusByte = "I" | "T" | "E";

/** The part of a pg connection that a link reads and writes. pg's and the one in Neon's driver both have it. */
interface DriverConnection extends WritingConnection {
  readonly _emitMessage?: boolean;
  readonly stream: DriverStream;
  /** Where a link is known by, whichever copy of the package made it: copies share pools. */
  link?: Link;
  attachListeners(stream: DriverStream): void;
  on(event: "error" | "end", listener: (failure?: unknown) => void): unknown;
  emit(event: string, message?: unknown): boolean;
}

/** A connection that has a link. */
export type LinkedConnection = DriverConnection & { readonly link: Link };

/** Where answers come from, and messages go. */
interface DriverStream {
  readonly writable?: boolean;
  readonly destroyed?: boolean;
  on(event: "data", listener: (chunk: MessageBytes) => void): unknown;
  on(event: "end", listener: () => void): unknown;
  write(bytes: Uint8Array): unknown;
  destroy(): unknown;
}

/**
 * Everything between a driver's connection and its socket: the driver opens, encrypts and logs in; exchanges are written and read here, past
 * its parser; and what code written for the driver sends is read by the driver again.
 *
 * What a server sends is held against the protocol first: what is no message, one whose contents do not agree with its length, one that belongs
 * elsewhere, and an answer to nothing that was written, ends the connection with an {@link OutOfStepError}. Nothing of a packet in which
 * something is wrong is believed: which of two answers would be the right one? The driver's parser is given whole messages only, and neither
 * its own exceptions nor those of whoever listens reach the socket: the former end the connection, the latter are thrown on, as uncaught as
 * they were.
 *
 * One `data` listener stays on the stream for good: pg-copy-streams takes it off, and calls it with what it has not read.
 * Source of the rules: libpq, fe-protocol3.c, pqParseInput3.
 */
export class Link {
  /** What the server said last. */
  status: StatusByte = "I";
  readonly #connection: DriverConnection;
  readonly #outbox = new Outbox();
  readonly #turns: Turns;
  /** What is written, and not answered, in that order. */
  readonly #inFlight: Exchange[] = [];
  /** Whether what was written leaves at the end of this turn. */
  #flushes = false;
  /** Set where something was wrong: nothing is believed any more. */
  #over = false;
  /** The beginning of a message, in the chunks it came in. */
  #parts: MessageBytes[] = [];
  #held = 0;
  #needed = 0;

  constructor(connection: DriverConnection) {
    this.#connection = connection;
    this.#turns = new Turns(connection);
    connection.link = this;
    const { attachListeners } = connection;
    connection.attachListeners = (stream) => this.#listen(stream, attachListeners);
    connection.on("error", (failure) => this.lose(failure));
    connection.on("end", () => this.lose(new Error("Connection terminated unexpectedly")));
  }

  /** How many exchanges are on their way. */
  get load(): number {
    return this.#inFlight.length;
  }

  /** Whether what is written now leaves with what was written in this turn before. */
  get gathers(): boolean {
    return this.#flushes;
  }

  /** Whether the server has nothing to answer before it. */
  isHead(exchange: Exchange): boolean {
    return this.#inFlight[0] === exchange;
  }

  /**
   * Writes an exchange, behind what is on its way, and reads what comes for it until it has ended. The first leaves at once; others that come in
   * the same turn leave in one write. To be called by the driver, when its turn has come.
   */
  send(exchange: Exchange): void {
    exchange.write(this.#outbox);
    if (this.#inFlight.push(exchange) === 1) {
      exchange.headAt = performance.now();
      this.#flush();
    } else if (!this.#flushes) {
      this.#flushes = true;
      queueMicrotask(() => this.#flush());
    }
  }

  /** Nothing comes any more for what is on its way. */
  lose(failure: unknown): void {
    for (const exchange of this.#inFlight.splice(0)) exchange.handleError(failure);
  }

  #flush(): void {
    this.#flushes = false;
    const bytes = this.#outbox.take();
    if (bytes.length > 0) this.#connection.stream.write(bytes);
  }

  #listen(stream: DriverStream, attachListeners: DriverConnection["attachListeners"]): void {
    const driver = this.#driverOf(stream, attachListeners);
    stream.on("data", (chunk) => {
      if (this.#isDead(stream)) return;
      const bytes = this.#whole(chunk);
      if (bytes === undefined) return;
      const told = this.#take(bytes, driver);
      if (told === undefined) return this.#end(stream, "The server sent what is no answer to what was written.");
      this.#flush();
      for (const tell of told) if (!this.#isDead(stream)) tell();
    });
  }

  /** Has the driver's parser read whole messages. */
  #driverOf(stream: DriverStream, attachListeners: DriverConnection["attachListeners"]): (bytes: MessageBytes) => void {
    const connection = this.#connection;
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
      emit: (event: string, message: unknown): boolean => {
        if (this.#isDead(stream)) return false;
        if (event === "readyForQuery") {
          opened = true;
          this.status = (message as { readonly status: StatusByte }).status;
        }
        try {
          return connection.emit(event, message);
        } catch (thrown) {
          // before the login is over only the driver itself listens
          if (opened) throwOn(thrown);
          else this.#end(stream, "The server sent what the driver cannot log in with.", thrown);
          return true;
        }
      },
    };
    Reflect.apply(attachListeners, parsed, [feed]);
    return (bytes) => {
      try {
        parse(bytes);
      } catch (unreadable) {
        this.#end(stream, "The server sent a message that cannot be read.", unreadable);
      }
    };
  }

  /** A chunk with what was kept of those before; undefined while the message they begin is not complete. */
  #whole(chunk: MessageBytes): MessageBytes | undefined {
    if (this.#held === 0) return chunk;
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return undefined;
    const bytes = joined(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    return bytes;
  }

  /**
   * Takes the messages of a packet that are whole, and keeps the rest. Gives what is to be told of them, in their order; undefined where
   * something is wrong. What was there before something was written is no answer to it: a packet is judged as it comes.
   */
  #take(bytes: MessageBytes, driver: (bytes: MessageBytes) => void): readonly (() => void)[] | undefined {
    const told: (() => void)[] = [];
    let at = 0;
    /** How many exchanges have had their last message. */
    let answered = 0;
    /** Where messages for the driver begin that stand before this one. */
    let drivers = -1;
    const tellDriver = () => {
      if (drivers === -1) return;
      const messages = bytes.subarray(drivers, at) as MessageBytes;
      told.push(() => driver(messages));
      drivers = -1;
    };
    while (at < bytes.length) {
      const type = messageType(bytes[at]);
      const exchange = this.#inFlight[answered];
      if (type === undefined || !(exchange === undefined ? this.#turns.mayCome(type.kind) : type.kind !== "login")) return undefined;
      this.#needed = HEADER_BYTES;
      if (at + HEADER_BYTES > bytes.length) break;
      const length = lengthAt(bytes, at + 1);
      if (length < HEADER_BYTES - 1 || length > type.longest) return undefined;
      const end = at + 1 + length;
      this.#needed = end - at;
      if (end > bytes.length) break;
      if (exchange === undefined || type.kind === "aside") {
        if (!type.agrees(bytes, at, end)) return undefined;
        if (exchange === undefined) this.#turns.noteCome(type.kind);
        if (drivers === -1) drivers = at;
      } else {
        tellDriver();
        // a row's own reader sees whether it agrees
        if (bytes[at] !== DATA_ROW && !type.agrees(bytes, at, end)) return undefined;
        if (type.kind === "ready") {
          const tell = this.#ready(exchange, bytes[end - 1] as number);
          if (tell === undefined) return undefined;
          told.push(tell);
          if (exchange.due === 0) answered++;
        } else if (!exchange.take(bytes, at, end, this.#outbox)) return undefined;
        else if (exchange.isOver) told.push(() => this.#farewell(exchange));
      }
      at = end;
    }
    tellDriver();
    if (at < bytes.length) {
      this.#parts = [bytes.subarray(at) as MessageBytes];
      this.#held = bytes.length - at;
    }
    return told;
  }

  /** ReadyForQuery for an exchange. */
  #ready(exchange: Exchange, status: number): (() => void) | undefined {
    const tell = exchange.ready();
    if (tell === undefined) return undefined;
    const isLast = exchange.due === 0;
    return () => {
      this.status = String.fromCharCode(status) as StatusByte;
      if (isLast) this.#goOn();
      try {
        // the driver first: whoever is told may send the next
        if (isLast && this.#inFlight.length === 0) this.#connection.emit("readyForQuery", { name: "readyForQuery", status: this.status });
        tell();
      } catch (thrown) {
        throwOn(thrown);
      }
    };
  }

  /** The next exchange is the head. */
  #goOn(): void {
    this.#inFlight.shift();
    const [next] = this.#inFlight;
    if (next !== undefined) next.headAt = performance.now();
  }

  /** The server has ended the connection by what it said to an exchange: none behind it was begun. */
  #farewell(exchange: Exchange): void {
    const behind = this.#inFlight.splice(0);
    for (const one of behind) one.farewell(exchange.report);
  }

  #isDead(stream: DriverStream): boolean {
    return this.#over || stream.destroyed === true;
  }

  #end(stream: DriverStream, what: string, cause?: unknown): void {
    this.#over = true;
    this.#connection.emit("error", new OutOfStepError(what, cause === undefined ? undefined : { cause }));
    stream.destroy();
  }
}

/** Links a driver's connection to its socket, before it opens. */
export function linkTo(connection: object): void {
  new Link(connection as DriverConnection);
}

/** What a listener throws is as uncaught as it was, and harms nobody else. */
function throwOn(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}

/** Joined by their own kind of Buffer, which the driver's parser needs: not every runtime has a global one. */
function joined(parts: readonly MessageBytes[], length: number): MessageBytes {
  const { concat } = (parts[0] as MessageBytes).constructor as unknown as {
    concat(parts: readonly MessageBytes[], length: number): MessageBytes;
  };
  return concat(parts, length);
}
