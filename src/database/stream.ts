import { type WarmlineError, withFate } from "../errors/errors.ts";
import { streamBrokenOff } from "../errors/transaction-failed.ts";
import { writes } from "../syntax/writes.ts";
import type { Cancellation, Statement } from "../transports/transport.ts";
import { heldBatches } from "./held-batches.ts";
import type { HeldSession } from "./held-session.ts";
import type { StreamOptions } from "./options.ts";
import { type RowBatches, Total } from "./row-batches.ts";
import type { runTransaction } from "./transaction.ts";

/** What a stream of the database itself stands on. */
export interface StreamGround {
  /** Holds a connection while it is read. */
  readonly hold: (holding: StreamHolding) => Promise<unknown>;
  /** Whether what failed may be tried again, by its fate. */
  readonly mayRepeat: (error: WarmlineError, number: number) => boolean;
  /** Whether it may leave state of the session behind. */
  readonly leavesState?: boolean;
}

/** What is done with the connection. */
interface StreamHolding {
  readonly use: (held: HeldSession, work: { readonly runTransaction: typeof runTransaction }) => Promise<unknown>;
  readonly again: (error: WarmlineError, number: number) => boolean;
}

/**
 * The rows of a statement, in a transaction of its own: committed when its reader has taken the last row and asks for more, rolled back when the
 * reader leaves before. One that says of itself that it writes tells its leaver so. It is tried again as a query is, before a row was given out.
 */
export function streamAlone(statement: Statement, options: StreamOptions, { hold, mayRepeat, leavesState }: StreamGround): RowBatches {
  const isWriting = () => writes(statement.text);
  let isGiven = false;
  let cancellation: Cancellation | undefined;
  const batches = heldBatches(
    (give) =>
      hold({
        async use(held, { runTransaction }) {
          ({ cancellation } = held.call);
          const total = new Total();
          // rolls the transaction back, and goes no further than here
          let left: Error | undefined;
          try {
            await runTransaction({ ...held, mode: { readOnly: options.readOnly }, observe: (_, run) => run() }, async (_, open) => {
              const batches = open(statement, options, leavesState);
              for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
                total.count(batch);
                if (batch.rows.length === 0) continue;
                isGiven = true;
                if (await give(batch)) continue;
                left = new Error("The reader left.");
                throw left;
              }
            });
          } catch (error) {
            if (error !== left) throw error;
            if (isWriting()) throw streamBrokenOff();
          }
          return total.result;
        },
        again: (error, number) => !isGiven && mayRepeat(asOfQuery(error), number),
      }),
    isWriting,
  );
  return { ...batches, isEnded: () => cancellation?.reason !== undefined };
}

/** A query that was lost is in doubt, and what was claimed of it decides. The stream's transaction makes the loss certain, and nothing else of it. */
function asOfQuery(error: WarmlineError): WarmlineError {
  return error.code === "CONNECTION_LOST" && error.fate === "refused" ? withFate(error, "unknown", true) : error;
}
