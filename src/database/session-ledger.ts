import type { OwnWork } from "../delivery/own-work.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import type { ExchangeCall, Result, Session, Statement } from "../transports/transport.ts";

/**
 * A held session, through which all is sent that is sent on it, and what is known of that: the fate of the whole. When it is over nothing is
 * sent any more, and nothing ended: somebody else has the connection by then.
 */
export class SessionLedger implements Session {
  over = false;
  /** Whether anything was sent. */
  begun = false;
  /** Whether something stays done, or may. */
  done = false;
  readonly #session: Session;
  readonly #own: OwnWork;

  constructor(session: Session, own: OwnWork) {
    this.#session = session;
    this.#own = own;
  }

  get via() {
    return this.#session.via;
  }

  get status() {
    return this.over ? "idle" : this.#session.status;
  }

  get busy() {
    return !this.over && this.#session.busy;
  }

  async exchange(statements: readonly Statement[], options: ExchangeCall): Promise<Result[]> {
    if (this.over) throw sessionOver();
    const session = this.#session;
    const first = !this.begun;
    const before = session.status;
    this.begun = true;
    try {
      const results = await session.exchange(statements, options);
      this.#own.answered = true;
      // in an open transaction nothing stays before its COMMIT; outside of one a ROLLBACK may be that of a prepared one
      const command = results.at(-1)?.command;
      const undone = command === "ROLLBACK" && (before !== "idle" || options.ends === "rollback");
      this.done ||= command === "COMMIT" || command === "PREPARE" || (session.status === "idle" && !undone);
      return results;
    } catch (error) {
      if (isWarmlineError(error)) {
        this.done ||= error.fate === "unknown" || (error.fate === "applied" && session.status === "idle");
        this.#own.errors.add(error);
        if (first && error.fate === "not-sent") this.begun = false;
      }
      throw error;
    }
  }

  script: Session["script"] = (text, options) => this.#session.script(text, options);

  destroy(): void {
    if (!this.over) this.#session.destroy();
  }
}

/** Use after the end. */
export function sessionOver(): UsageError {
  return new UsageError("This session is over. Await every query before it ends.", { code: "SESSION_OVER" });
}
