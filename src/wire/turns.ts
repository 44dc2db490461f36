import type { MessageKind } from "./frames.ts";

/** The part of a pg connection that writes what the server has to answer. */
export interface WritingConnection {
  query(text: string): void;
  sync(): void;
  flush(): void;
  sendCopyFail(reason: string): void;
}

/** What is still to be answered of what the driver itself has written. */
export class Turns {
  /** How many ReadyForQuery are still to come. The first is the login's. */
  #due = 1;
  #login = true;
  /** Whether answers were asked for ahead of their Sync, as cursors do. */
  #flushed = false;
  /** Whether an ERROR came: only ReadyForQuery follows. */
  #failed = false;
  /** Whether COPY was refused: the Sync that was written before is not answered, the one behind is. */
  #copyFailed = false;

  /** Counts what is written to `connection` from now on. */
  constructor(connection: WritingConnection) {
    const { query, sync, flush, sendCopyFail } = connection;
    connection.query = (text) => {
      this.#due++;
      query.call(connection, text);
    };
    connection.sync = () => {
      if (this.#copyFailed) this.#copyFailed = false;
      else this.#due++;
      sync.call(connection);
    };
    connection.flush = () => {
      this.#flushed = true;
      flush.call(connection);
    };
    connection.sendCopyFail = (reason) => {
      this.#copyFailed = true;
      sendCopyFail.call(connection, reason);
    };
  }

  /** Whether a message of this kind may come now. */
  mayCome(kind: MessageKind): boolean {
    switch (kind) {
      case "aside":
      case "error":
        return true;
      case "ready":
        return this.#due > 0;
      case "login":
        return this.#login;
      case "answer":
        return (this.#due > 0 || this.#flushed) && !this.#login && !this.#failed;
    }
  }

  noteCome(kind: MessageKind): void {
    if (kind === "error") this.#failed = this.#due > 0 || this.#flushed;
    else if (kind === "ready") {
      this.#due--;
      this.#login = false;
      this.#flushed = false;
      this.#failed = false;
      this.#copyFailed = false;
    }
  }
}
