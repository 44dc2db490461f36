import { type DriverConnection, type DriverStream, driverParser, type StatusByte, throwOn } from "./driver-parser.ts";
import { Outbox } from "./encode.ts";
import type { Exchange } from "./exchange.ts";
import { CLOSE_COMPLETE, DATA_ROW, HEADER_BYTES, lengthAt, type MessageKind, messageType, NOTICE_RESPONSE } from "./frames.ts";
import type { MessageBytes } from "./message-bytes.ts";
import { OutOfStepError } from "./out-of-step.ts";
import { Packet, type Ready } from "./packet.ts";
import { PartialMessage } from "./partial-message.ts";
import { Queue } from "./queue.ts";
import { DriverTurn, type WrittenByDriver, watchTurns } from "./turns.ts";

/** What was written up to a Sync, and is to be answered before what stands behind it. */
type Turn = Exchange | DriverTurn;

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
class Link {
  /** What the server said last. */
  status: StatusByte = "I";
  /** Set when nothing more may be written: what is on its way is still answered. */
  isClosing = false;
  readonly #connection: DriverConnection;
  readonly #outbox = new Outbox();
  /** What is written, and not answered, in that order: exchanges, and what the driver itself has written. */
  readonly #turns = new Queue<Turn>();
  readonly #written: WrittenByDriver;
  /** How many exchanges are among them. */
  #load = 0;
  /** Whether what was written leaves at the end of this turn. */
  #flushes = false;
  /** Set where something was wrong: nothing is believed any more. */
  #over = false;
  readonly #partial = new PartialMessage();

  constructor(connection: DriverConnection) {
    this.#connection = connection;
    this.#turns.push(new DriverTurn(false, true));
    // what was written before the driver's own has to leave before it
    this.#written = watchTurns(connection, this.#turns, () => this.#flush());
    Object.assign(connection, { link: this });
    const { attachListeners } = connection;
    connection.attachListeners = (stream) => this.#listen(stream, attachListeners);
    connection.on("error", (failure) => this.lose(failure));
    connection.on("end", () => this.lose(new Error("Connection terminated unexpectedly")));
  }

  /** How many exchanges are on their way. */
  get load(): number {
    return this.#load;
  }

  /** Whether what is written now leaves with what was written in this turn before. */
  get gathers(): boolean {
    return this.#flushes;
  }

  /** Since when the exchange that is answered now is the head, by the monotonic clock, milliseconds; Infinity where there is none. */
  get headSince(): number {
    const { head } = this.#turns;
    return head === undefined || head instanceof DriverTurn ? Number.POSITIVE_INFINITY : head.headAt;
  }

  /** Whether the server has nothing to answer before it. */
  isHead(exchange: Exchange): boolean {
    return this.#turns.head === exchange;
  }

  /**
   * Writes an exchange, behind what is on its way, and reads what comes for it until it has ended. The first leaves at once; others that come in
   * the same turn leave in one write. To be called by the driver, when its turn has come.
   */
  send(exchange: Exchange): void {
    exchange.write(this.#outbox);
    exchange.closesBefore = this.#written.closes;
    this.#written.closes = 0;
    this.#load++;
    this.#turns.push(exchange);
    if (this.#turns.head === exchange) {
      exchange.isFirst = true;
      exchange.headAt = performance.now();
      this.#flush();
    } else if (!this.#flushes) {
      this.#flushes = true;
      queueMicrotask(() => this.#flush());
    }
  }

  /** Nothing comes any more for what is on its way. */
  lose(failure: unknown): void {
    this.#endAll((exchange) => exchange.handleError(failure));
  }

  #flush(): void {
    this.#flushes = false;
    const bytes = this.#outbox.take();
    if (bytes.length > 0) this.#connection.stream.write(bytes);
  }

  #listen(stream: DriverStream, attachListeners: DriverConnection["attachListeners"]): void {
    const driver = driverParser(this.#connection, {
      stream,
      attachListeners,
      isDead: () => this.#isDead(stream),
      onReady: (status) => {
        this.status = status;
      },
      onFault: (what, cause) => this.#end(stream, what, cause),
    });
    const receive = (chunk: MessageBytes) => {
      if (this.#isDead(stream)) return;
      const bytes = this.#partial.complete(chunk);
      if (bytes === undefined) return;
      const packet = new Packet(bytes, driver);
      if (!this.#take(packet, receive)) return this.#end(stream, "The server sent what is no answer to what was written.");
      this.#flush();
      for (const news of packet.news) {
        if (this.#isDead(stream)) return;
        if (typeof news === "function") news();
        else this.#tellReady(news);
      }
    };
    stream.on("data", receive);
  }

  /**
   * Takes the messages of a packet that are whole, and keeps the rest. False where something is wrong. What was there before something was
   * written is no answer to it: a packet is judged as it comes. What answers an exchange that left with the login is received once the driver
   * has believed the login.
   */
  #take(packet: Packet, receive: (bytes: MessageBytes) => void): boolean {
    const { bytes } = packet;
    let at = 0;
    /** How many bytes the message at that place takes, as far as that is known. */
    let needed = 0;
    /** The first that has not had its last message. */
    let turn = this.#turns.head;
    while (at < bytes.length) {
      const type = messageType(bytes[at]);
      if (type === undefined || !mayCome(turn, type.kind)) return false;
      needed = HEADER_BYTES;
      if (at + HEADER_BYTES > bytes.length) break;
      const length = lengthAt(bytes, at + 1);
      if (length < HEADER_BYTES - 1 || length > type.longest) return false;
      const end = at + 1 + length;
      needed = end - at;
      if (end > bytes.length) break;
      if (turn === undefined || turn instanceof DriverTurn || type.kind === "aside") {
        if (!type.agrees(bytes, at, end)) return false;
        packet.leaveToDriver(at);
        if (turn instanceof DriverTurn) {
          turn.noteCome(type.kind);
          if (type.kind === "ready") {
            // before the driver is told, which may write the next
            packet.tellDriver(end, () => this.#goOn());
            if (turn.isLogin && this.#load > 0 && end < bytes.length) {
              packet.tell(() => receive(bytes.subarray(end) as MessageBytes));
              return true;
            }
            turn = turn.next as Turn | undefined;
          }
        } else if (turn !== undefined && bytes[at] === NOTICE_RESPONSE) {
          const told = turn.noticed(bytes, at, end);
          if (told) packet.tell(told);
        }
      } else {
        packet.tellDriver(at);
        // a row's own reader sees whether it agrees
        if (bytes[at] !== DATA_ROW && !type.agrees(bytes, at, end)) return false;
        if (type.kind === "ready") {
          if (!turn.ready()) return false;
          packet.tell({ exchange: turn, status: bytes[end - 1] as number, isLast: turn.due === 0 });
          if (turn.due === 0) turn = turn.next as Turn | undefined;
        } else if (bytes[at] === CLOSE_COMPLETE && turn.closesBefore > 0) turn.closesBefore--;
        else if (!turn.take(bytes, at, end, this.#outbox)) return false;
        else if (turn.isOver) this.#tellFarewell(packet, turn);
      }
      at = end;
    }
    packet.tellDriver(at);
    if (at < bytes.length) this.#partial.keep(bytes.subarray(at) as MessageBytes, needed);
    return true;
  }

  #tellReady({ exchange, status, isLast }: Ready): void {
    this.status = String.fromCharCode(status) as StatusByte;
    if (isLast) {
      this.#load--;
      this.#goOn();
    }
    const { mayGoAgain } = exchange;
    // the driver first: whoever is told may send the next; but nothing passes what is sent once more
    if (isLast && !mayGoAgain) this.#tellDriver();
    try {
      exchange.tell();
    } catch (thrown) {
      throwOn(thrown);
    }
    if (isLast && mayGoAgain) this.#tellDriver();
  }

  /** The driver may write the next, unless something is on its way. */
  #tellDriver(): void {
    if (this.#turns.head !== undefined) return;
    try {
      this.#connection.emit("readyForQuery", { name: "readyForQuery", status: this.status });
    } catch (thrown) {
      throwOn(thrown);
    }
  }

  /** The next turn is the head. */
  #goOn(): void {
    this.#turns.shift();
    const next = this.#turns.head;
    if (next !== undefined && !(next instanceof DriverTurn)) next.headAt = performance.now();
  }

  /** The server has ended the connection by what it said to an exchange: none behind it was begun. */
  #tellFarewell(packet: Packet, exchange: Exchange): void {
    packet.tell(() => this.#endAll((one) => one.farewell(exchange.report)));
  }

  #endAll(end: (exchange: Exchange) => void): void {
    this.#load = 0;
    for (const turn of this.#turns.takeAll()) if (!(turn instanceof DriverTurn)) end(turn);
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

/** A connection that has a link. */
export type LinkedConnection = DriverConnection & { readonly link: Link };

/** Links a driver's connection to its socket, before it opens. */
export function linkTo(connection: object): void {
  new Link(connection as DriverConnection);
}

/** Whether a message of this kind may come while this turn is to be answered, or none. */
function mayCome(turn: Turn | undefined, kind: MessageKind): boolean {
  if (turn === undefined) return kind === "aside" || kind === "error";
  return turn instanceof DriverTurn ? turn.mayCome(kind) : kind !== "login";
}
