import { UsageError } from "../errors/errors.ts";
import type { ObserveStatement } from "../observe/observe-call.ts";
import type { CallOptions, Result, Session, Via } from "../transports/transport.ts";
import { runBounded } from "./bounded.ts";
import { checkInner, type InnerOptions, makeQueries, type Queries } from "./queries.ts";

/** A connection held for one callback. What is set on it is undone only as far as a ROLLBACK undoes it. */
export interface DatabaseSession extends Queries {
  /** Which connection it is. */
  readonly via: Via;
}

/** What a session runs on. */
export interface HeldSession {
  readonly session: Session;
  readonly call: CallOptions;
  readonly observe: ObserveStatement;
}

/** Runs `work` on a held session, statement by statement, as the caller writes them: transaction control included. */
export function runSession<T>({ session, call, observe }: HeldSession, work: (session: DatabaseSession) => Promise<T>): Promise<T> {
  let over = false;
  return runBounded(session, call.cancellation, {
    fate: () => "unknown",
    work: (watch) => {
      const queries = makeQueries<InnerOptions>(async (statement, options) => {
        const { rowMode = "object" } = checkInner(options);
        if (over) throw new UsageError("This session is over. Await every query in its callback.", { code: "SESSION_OVER" });
        const send = async () => (await watch(session.exchange([statement], { ...call, rowMode, phase: "autocommit" })))[0] as Result;
        return observe(statement, send);
      });
      return work(Object.assign(queries, { via: session.via }));
    },
  }).finally(() => {
    over = true;
  });
}
