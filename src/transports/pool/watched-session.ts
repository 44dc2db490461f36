import type { Answering, WireCall } from "../sending.ts";
import type { CallOptions, Statement } from "../transport.ts";
import type { WireClient } from "../wire-client.ts";
import { WireSession, type WireSessionOptions } from "../wire-session.ts";

/** A session that shows the text of everything before it is sent. */
export class WatchedSession extends WireSession {
  readonly #onStatement: (text: string) => void;

  constructor(client: WireClient, options: WireSessionOptions, onStatement: (text: string) => void) {
    super(client, options);
    this.#onStatement = onStatement;
  }

  override begin(statements: readonly Statement[], call: WireCall, answering: Answering): void {
    for (const { text } of statements) this.#onStatement(text);
    if (call.script !== undefined) this.#onStatement(call.script);
    super.begin(statements, call, answering);
  }

  override share(statement: Statement, call: CallOptions, answering: Answering): void {
    this.#onStatement(statement.text);
    super.share(statement, call, answering);
  }
}
