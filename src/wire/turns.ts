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

/** Where the driver's turns stand among others. */
interface Turns {
  /** Called before anything of the driver's is written. */
  readonly write: () => void;
  readonly begin: (turn: DriverTurn) => void;
  /** The turn that is being answered, and the one that was begun last. */
  readonly head: () => unknown;
  readonly last: () => unknown;
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

/** Has every turn told that the driver begins on `connection`. */
export function watchTurns(connection: WritingConnection, { write, begin, head, last }: Turns): WrittenByDriver {
  const { query, sync, flush, sendCopyFail, close, _send } = connection;
  const written: WrittenByDriver = { closes: 0 };
  if (_send !== undefined) {
    connection._send = (bytes) => {
      write();
      return _send.call(connection, bytes);
    };
  }
  connection.close = (message) => {
    written.closes++;
    close.call(connection, message);
  };
  connection.query = (text) => {
    written.closes = 0;
    begin(new DriverTurn(false));
    query.call(connection, text);
  };
  connection.sync = () => {
    const [answered, latest] = [head(), last()];
    if (answered instanceof DriverTurn && answered.copyFailed) answered.copyFailed = false;
    else if (latest instanceof DriverTurn && latest.isOpen) latest.isOpen = false;
    else begin(new DriverTurn(false));
    written.closes = 0;
    sync.call(connection);
  };
  connection.flush = () => {
    const latest = last();
    if (!(latest instanceof DriverTurn && latest.isOpen)) begin(new DriverTurn(true));
    written.closes = 0;
    write();
    flush.call(connection);
  };
  connection.sendCopyFail = (reason) => {
    const answered = head();
    if (answered instanceof DriverTurn) answered.copyFailed = true;
    sendCopyFail.call(connection, reason);
  };
  return written;
}
