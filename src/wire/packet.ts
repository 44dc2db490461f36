import type { Exchange } from "./exchange.ts";
import type { MessageBytes } from "./message-bytes.ts";

/** ReadyForQuery for an exchange: the status it tells, and whether it is the last that the exchange waits for. */
export interface Ready {
  readonly exchange: Exchange;
  readonly status: number;
  readonly isLast: boolean;
}

/** What is told of a packet once all of it is believed. */
type News = Ready | (() => void);

/** A packet in the reading, and what is to be told of it, in its order. */
export class Packet {
  readonly bytes: MessageBytes;
  news: News[] = none;
  readonly #driver: (bytes: MessageBytes) => void;
  /** Where messages for the driver begin that it has not been given. */
  #drivers = -1;

  constructor(bytes: MessageBytes, driver: (bytes: MessageBytes) => void) {
    this.bytes = bytes;
    this.#driver = driver;
  }

  tell(news: News): void {
    // most packets tell one thing: a list that grows takes room for more than a dozen
    if (this.news.length === 0) this.news = [news];
    else this.news.push(news);
  }

  /** A message that begins here is the driver's, as those behind it are until it is told. */
  leaveToDriver(at: number): void {
    if (this.#drivers === -1) this.#drivers = at;
  }

  /** Has the driver told, after `before`, of what was left to it up to here, if anything was. */
  tellDriver(end: number, before?: () => void): void {
    if (this.#drivers === -1) return;
    const messages = this.bytes.subarray(this.#drivers, end) as MessageBytes;
    this.#drivers = -1;
    if (before) this.tell(before);
    this.tell(() => this.#driver(messages));
  }
}

const none: News[] = [];
