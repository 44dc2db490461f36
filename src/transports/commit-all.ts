import { transactionFailed } from "../errors/transaction-failed.ts";
import { begin, COMMIT } from "./statements.ts";
import type { BatchOptions, Result, Statement } from "./transport.ts";
import type { WireSession } from "./wire-session.ts";

/**
 * Sends statements as one transaction in one write, and gives a result for each. With `onAlive` the connection is asked in that write whether it
 * lives. @throws TransactionError TRANSACTION_FAILED where the server answered COMMIT with ROLLBACK
 */
export async function commitAll(
  session: WireSession,
  statements: readonly Statement[],
  call: BatchOptions,
  onAlive?: () => void,
): Promise<Result[]> {
  const opening = begin(call.mode, statements.length === 1, call.settings);
  const prelude = opening.length;
  const results = await session.exchange([...opening, ...statements, COMMIT], { ...call, ends: "commit", prelude, onAlive });
  if (results.at(-1)?.command !== "COMMIT") throw transactionFailed();
  return results.slice(prelude, -1);
}
