import type { Socket } from "node:net";
import { errorResponse, readyForQuery } from "../../../src/endpoint/backend-messages.ts";
import { type Message, messageStream, nameOf, textOf, withText } from "./message-stream.ts";

/** What DSQL has not, by what stands in a statement. Sources: its documentation, and what its users report. */
const unknownStatements =
  /^\s*(savepoint|release|rollback\s+to|listen|unlisten|notify|truncate|create\s+temp)|advisory_|isolation\s+level\s+(?!repeatable)/i;

const words = { "40001": "OC000", OC000: "OC000", OC001: "OC001" } as const;
const messages = {
  OC000: "change conflicts with another transaction, please retry: (OC000)",
  OC001: "schema has been updated by another transaction, please retry: (OC001)",
} as const;

/** A code that a conflict is told by. */
export type ConflictCode = keyof typeof words;

/** What all sessions of a fake share. */
export interface Shared {
  /** The next commits, or statements alone, end in a conflict, told by these codes; each takes one. */
  readonly conflicts: ConflictCode[];
  /** What was asked for that DSQL has not, in words, in order. */
  readonly strange: string[];
  /** What a session of the real Postgres begins with. */
  readonly prepares: string;
}

/** One client and its server: what passes between them is what DSQL would let pass, and conflicts are told at COMMIT. */
export class DsqlSession {
  readonly #shared: Shared;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #fromClient = messageStream();
  readonly #fromServer = messageStream();
  /** The exchange that is being written, up to its end. */
  #exchange: Message[] = [];
  #status = "I";
  /** The code that the COMMIT on its way is answered with, which was sent as a ROLLBACK. */
  #undone: ConflictCode | undefined;
  #isBegun: (() => void) | undefined;

  constructor(client: Socket, server: Socket, shared: Shared) {
    this.#shared = shared;
    this.#client = client;
    this.#server = server;
  }

  /** Every transaction is repeatable read, as there. */
  begin(): Promise<void> {
    const text = `set default_transaction_isolation = 'repeatable read'; ${this.#shared.prepares}`;
    this.#server.write(withText({ type: "Q", bytes: Buffer.alloc(0), body: Buffer.from("\0") }, text));
    return new Promise((resolve) => {
      this.#isBegun = resolve;
    });
  }

  ask(chunk: Buffer): void {
    for (const message of this.#fromClient(chunk)) {
      this.#exchange.push(message);
      // what ends a COPY stands alone, as what ends an exchange does
      if (!"SQXHcdf".includes(message.type)) continue;
      this.#send(this.#exchange);
      this.#exchange = [];
    }
  }

  #send(exchange: readonly Message[]): void {
    const texts = exchange.map(textOf).filter((text) => text !== undefined);
    const named = exchange.find(({ type, body }) => type === "P" && nameOf(body) !== "");
    const odd = named ? "a named statement" : texts.find((text) => unknownStatements.test(text));
    if (odd !== undefined) {
      this.#shared.strange.push(odd);
      this.#refuse("0A000", "unsupported statement");
      return;
    }
    const commit = exchange.find((message) => /^\s*(commit|end)\b/i.test(textOf(message) ?? ""));
    const alone = commit === undefined && this.#status === "I" && texts.some((text) => /^\s*(insert|update|delete|create)/i.test(text));
    const code = commit || alone ? this.#shared.conflicts.shift() : undefined;
    if (code !== undefined && commit === undefined) {
      this.#refuse(code, messages[words[code]]);
      return;
    }
    this.#undone = code;
    const isUndone = (message: Message) => code !== undefined && message === commit;
    this.#server.write(Buffer.concat(exchange.map((message) => (isUndone(message) ? withText(message, "ROLLBACK") : message.bytes))));
  }

  #refuse(code: string, message: string): void {
    this.#client.write(Buffer.concat([errorResponse({ severity: "ERROR", code, message }), ready(this.#status === "I" ? "I" : "E")]));
  }

  answer(chunk: Buffer): void {
    for (const message of this.#fromServer(chunk)) {
      if (message.type === "Z") this.#status = message.body.toString("latin1");
      if (this.#isBegun !== undefined) {
        if (message.type !== "Z") continue;
        this.#isBegun();
        this.#isBegun = undefined;
      } else this.#client.write(this.#told(message));
    }
  }

  #told(message: Message): Buffer {
    const { type, bytes, body } = message;
    if (type === "C" && this.#undone !== undefined && body.toString("latin1").startsWith("ROLLBACK")) {
      const code = this.#undone;
      this.#undone = undefined;
      return errorResponse({ severity: "ERROR", code, message: messages[words[code]] });
    }
    // what Postgres finds itself
    const isConflict = type === "E" && body.includes("C40001\0");
    return isConflict ? errorResponse({ severity: "ERROR", code: "40001", message: messages.OC000 }) : bytes;
  }
}

function ready(status: string): Buffer {
  const bytes = readyForQuery();
  bytes.write(status, 5, "latin1");
  return bytes;
}
