import type { MessageKind } from "./frames.ts";
import type { Queued } from "./queue.ts";

/** The part of a pg connection that writes what the server has to answer. */
export interface WritingConnection {
  query(text: string): void;
  sync(): void;
  flush(): void;
  sendCopyFail(reason: string): void;
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
export function watchTurns(connection: WritingConnection, { write, begin, head, last }: Turns): void {
  const { query, sync, flush, sendCopyFail, _send } = connection;
  if (_send !== undefined) {
    connection._send = (bytes) => {
      write();
      return _send.call(connection, bytes);
    };
  }
  connection.query = (text) => {
    begin(new DriverTurn(false));
    query.call(connection, text);
  };
  connection.sync = () => {
    const [answered, written] = [head(), last()];
    if (answered instanceof DriverTurn && answered.copyFailed) answered.copyFailed = false;
    else if (written instanceof DriverTurn && written.isOpen) written.isOpen = false;
    else begin(new DriverTurn(false));
    sync.call(connection);
  };
  connection.flush = () => {
    const written = last();
    if (!(written instanceof DriverTurn && written.isOpen)) begin(new DriverTurn(true));
    write();
    flush.call(connection);
  };
  connection.sendCopyFail = (reason) => {
    const answered = head();
    if (answered instanceof DriverTurn) answered.copyFailed = true;
    sendCopyFail.call(connection, reason);
  };
}
