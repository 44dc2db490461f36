import { CancelledError, type WarmlineError, withFate } from "../errors/errors.ts";
import { writes } from "../syntax/writes.ts";
import type { Statement } from "../transports/transport.ts";
import { heldBatches } from "./held-batches.ts";
import type { StreamOptions } from "./options.ts";
import { type RowBatches, Total } from "./portal.ts";
import { runTransaction } from "./transaction.ts";
import type { Holding } from "./work.ts";

/** What a stream of the database itself stands on. */
export interface StreamGround {
  /** Holds a connection while it is read. */
  readonly hold: (holding: Pick<Holding<unknown>, "use" | "again">) => Promise<unknown>;
  /** Whether what failed may be tried again, by its fate. */
  readonly mayRepeat: (error: WarmlineError, number: number) => boolean;
}

/**
 * The rows of a statement, in a transaction of its own: committed when its reader has taken the last row and asks for more, rolled back when the
 * reader leaves before. One that says of itself that it writes tells its leaver so. It is tried again as a query is, before a row was given out.
 */
export function streamAlone(statement: Statement, options: StreamOptions, { hold, mayRepeat }: StreamGround): RowBatches {
  const isWriting = () => writes(statement.text);
  let isGiven = false;
  return heldBatches(
    (give) =>
      hold({
        async use(held) {
          const total = new Total();
          try {
            await runTransaction({ ...held, mode: { readOnly: options.readOnly }, observe: (_, run) => run() }, async (_, open) => {
              const batches = open(statement, options);
              for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
                total.count(batch);
                if (batch.rows.length === 0) continue;
                isGiven = true;
                if (!(await give(batch))) throw LEFT;
              }
            });
          } catch (error) {
            if (error !== LEFT) throw error;
            if (isWriting()) throw brokenOff();
          }
          return total.result;
        },
        again: (error, number) => !isGiven && mayRepeat(asOfQuery(error), number),
      }),
    isWriting,
  );
}

/** Rolls the transaction back, and goes no further than the stream. */
const LEFT = new Error("The reader left.");

/** A query that was lost is in doubt, and what was claimed of it decides. The stream's transaction makes the loss certain, and nothing else of it. */
function asOfQuery(error: WarmlineError): WarmlineError {
  return error.code === "CONNECTION_LOST" && error.fate === "refused" ? withFate(error, "unknown", true) : error;
}

function brokenOff(): CancelledError {
  return new CancelledError("The stream was broken off before its end, so that what it wrote was rolled back. Read it to its end.", {
    code: "STREAM_BROKEN_OFF",
    fate: "refused",
  });
}
