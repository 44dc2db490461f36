import type { WireCall } from "../sending.ts";
import type { Result, Statement } from "../transport.ts";
import type { WireClient } from "../wire-client.ts";
import { WireSession, type WireSessionOptions } from "../wire-session.ts";

/** A session that shows the text of every statement before it is sent. */
export class WatchedSession extends WireSession {
  readonly #onStatement: (text: string) => void;

  constructor(client: WireClient, options: WireSessionOptions, onStatement: (text: string) => void) {
    super(client, options);
    this.#onStatement = onStatement;
  }

  override exchange(statements: readonly Statement[], call: WireCall): Promise<Result[]> {
    for (const { text } of statements) this.#onStatement(text);
    return super.exchange(statements, call);
  }
}
