import { type OwnWork, toldOfAll } from "../delivery/own-work.ts";
import { showCaller } from "../errors/caller.ts";
import { isWarmlineError, UsageError } from "../errors/errors.ts";
import type { ObserveStatement } from "../observe/observe-call.ts";
import type { CallOptions, Result, Session, Statement, Via } from "../transports/transport.ts";
import { isEndOf, runBounded } from "./bounded.ts";
import { guardHeld, type SessionTraits } from "./guard.ts";
import { checkInner, type InnerOptions, makeQueries, type Queries } from "./queries.ts";
import { parsersOf } from "./result.ts";

/** A connection held for one callback. What is set on it ends with it: before anybody else has the connection, it is as new. */
export interface DatabaseSession extends Queries {
  /** Which connection it is. */
  readonly via: Via;
}

/** What a session runs on. */
export interface HeldSession {
  readonly session: Session;
  readonly call: CallOptions;
  readonly own: OwnWork;
  readonly traits: SessionTraits;
  readonly observe: ObserveStatement;
}

/**
 * Runs `work` on a held session, statement by statement, as the caller writes them: transaction control included. What it rejects with speaks
 * for all of its work: once a statement has stayed done, or may have, the fate is `unknown`, whatever became of a later one.
 */
export async function runSession<T>(
  { session, call, own, traits, observe }: HeldSession,
  work: (session: DatabaseSession) => Promise<T>,
): Promise<T> {
  let over = false;
  let begun = false;
  /** Whether something stays done, or may. */
  let done = false;

  async function send(statement: Statement, { rowMode = "object", types }: InnerOptions, leavesState: boolean): Promise<Result> {
    const reading = { rowMode, parsers: parsersOf(types, call.parsers) };
    const first = !begun;
    const before = session.status;
    begun = true;
    try {
      const [result] = (await session.exchange([statement], { ...call, ...reading, ends: "free", leavesState })) as [Result];
      own.answered = true;
      // in an open transaction nothing stays before its COMMIT; outside of one a ROLLBACK may be that of a prepared one
      const { command } = result;
      const undone = command === "ROLLBACK" && before !== "idle";
      done ||= command === "COMMIT" || command === "PREPARE" || (session.status === "idle" && !undone);
      return result;
    } catch (error) {
      if (!isWarmlineError(error)) throw error;
      done ||= error.fate === "unknown" || (error.fate === "applied" && session.status === "idle");
      own.errors.add(error);
      if (first && error.fate === "not-sent") begun = false;
      throw showCaller(error, send);
    }
  }

  try {
    return await runBounded(session, call.cancellation, {
      fate: () => (done ? "unknown" : begun ? "refused" : "not-sent"),
      work: (watch) => {
        const queries = makeQueries<InnerOptions>(async (statement, given) => {
          const options = checkInner(given);
          if (over) throw new UsageError("This session is over. Await every query in its callback.", { code: "SESSION_OVER" });
          const leavesState = guardHeld(statement, traits);
          return observe(statement, () => watch(send(statement, options, leavesState)));
        });
        return work(Object.assign(queries, { via: session.via }));
      },
    });
  } catch (error) {
    if (!begun || !isWarmlineError(error)) throw error;
    // what nobody waits for is still done
    const mayStay = done || session.busy;
    if (isEndOf(call.cancellation, error)) own.errors.add(error);
    if (own.errors.has(error) && (error.fate === "unknown" || (error.fate === "applied" && mayStay))) throw error;
    // the error of another database, or of a call beside the session, tells nothing of what the session did
    throw toldOfAll(own, error, mayStay ? "unknown" : "refused");
  } finally {
    over = true;
  }
}
