import { runSession } from "./session.ts";
import { runTransaction } from "./transaction.ts";

/** What runs on a connection that is held. */
export interface HeldWork {
  readonly runTransaction: typeof runTransaction;
  readonly runSession: typeof runSession;
}

/** A module of its own, so that an entry can leave it for the first transaction. */
export const heldWork: HeldWork = { runTransaction, runSession };
