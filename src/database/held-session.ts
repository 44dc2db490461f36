import type { OwnWork } from "../delivery/own-work.ts";
import type { Called } from "../observe/observe-call.ts";
import type { TracedCall } from "../observe/trace-calls.ts";
import type { CallOptions, Session, Statement } from "../transports/transport.ts";
import type { RowGround } from "./finish-rows.ts";
import type { SessionTraits } from "./guard.ts";
import type { Inside } from "./nesting.ts";

/** A connection that statements are sent on. */
export type StatementSession = Omit<Session, "script">;

/** What a transaction or session runs on. */
export interface HeldSession {
  readonly session: StatementSession;
  readonly call: CallOptions;
  readonly own: OwnWork;
  readonly traits: SessionTraits;
  /** Runs what is sent in a transaction or session, and tells of its end. */
  readonly observe: <T>(called: Omit<Called, "attempts">, run: (traced?: TracedCall) => Promise<T>) => Promise<T>;
  /** The statement with the comment that is sent behind it. */
  readonly comment: (statement: Statement) => Statement;
  readonly rows: RowGround;
  /** Runs a transaction of the session, whose callback is run `inside`: where calls on the database itself are refused. */
  readonly open: <T>(work: (inside: Inside) => Promise<T>) => Promise<T>;
}
