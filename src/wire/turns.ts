import type { MessageKind } from "./frames.ts";
import type { Queued } from "./queue.ts";

/** The part of a pg connection that writes what the server has to answer. */
export interface WritingConnection {
  query(text: string): void;
  sync(): void;
  flush(): void;
  sendCopyFail(reason: string): void;
  close(message: object): void;
  /** Not in Neon's driver, which waits for every answer. */
  _send?(bytes: Uint8Array): unknown;
}

/** The line in which the driver's turns stand among others. */
interface Turns {
  /** The turn that is being answered. */
  readonly head: object | undefined;
  /** The one that was begun last. */
  readonly last: object | undefined;
  push(turn: DriverTurn): void;
}

/** What is to be known of what the driver has written. */
export interface WrittenByDriver {
  /** Portals it has closed without asking for an answer: that comes in front of the next, whosever that is. Set to 0 by whoever takes them. */
  closes: number;
}

/** What the driver itself has written, up to the ReadyForQuery that is to come for it; the first is the login's. */
export class DriverTurn implements Queued {
  next: object | undefined;
  readonly isLogin: boolean;
  /** Whether its Sync is still to be written: answers were asked for ahead of it, as cursors do. */
  isOpen: boolean;
  /** Whether COPY was refused: the Sync that was written before is not answered, the one behind is. */
  copyFailed = false;
  /** Whether an ERROR came: only ReadyForQuery follows. */
  #failed = false;

  constructor(isOpen: boolean, isLogin = false) {
    this.isOpen = isOpen;
    this.isLogin = isLogin;
  }

  /** Whether a message of this kind may come now. */
  mayCome(kind: MessageKind): boolean {
    switch (kind) {
      case "aside":
      case "error":
        return true;
      case "ready":
        return !this.isOpen;
      case "login":
        return this.isLogin;
      case "answer":
        return !this.isLogin && !this.#failed;
    }
  }

  noteCome(kind: MessageKind): void {
    if (kind === "error") this.#failed = true;
  }
}

/** Puts every turn in line that the driver begins on `connection`. `flush` is called before anything of it is written. */
export function watchTurns(connection: WritingConnection, turns: Turns, flush: () => void): WrittenByDriver {
  const { query, sync, flush: flushDriver, sendCopyFail, close, _send } = connection;
  const written: WrittenByDriver = { closes: 0 };
  if (_send !== undefined) {
    connection._send = (bytes) => {
      flush();
      return _send.call(connection, bytes);
    };
  }
  connection.close = (message) => {
    written.closes++;
    close.call(connection, message);
  };
  connection.query = (text) => {
    written.closes = 0;
    turns.push(new DriverTurn(false));
    query.call(connection, text);
  };
  connection.sync = () => {
    const { head, last } = turns;
    if (head instanceof DriverTurn && head.copyFailed) head.copyFailed = false;
    else if (last instanceof DriverTurn && last.isOpen) last.isOpen = false;
    else turns.push(new DriverTurn(false));
    written.closes = 0;
    sync.call(connection);
  };
  connection.flush = () => {
    const { last } = turns;
    if (!(last instanceof DriverTurn && last.isOpen)) turns.push(new DriverTurn(true));
    written.closes = 0;
    flush();
    flushDriver.call(connection);
  };
  connection.sendCopyFail = (reason) => {
    const { head } = turns;
    if (head instanceof DriverTurn) head.copyFailed = true;
    sendCopyFail.call(connection, reason);
  };
  return written;
}
