import { UsageError } from "../errors/errors.ts";
import { transactionControl } from "../syntax/transaction-control.ts";
import type { Statement } from "../transports/transport.ts";

/**
 * Refuses a statement that begins, ends or divides a transaction: outside a session it would reach another connection than the next
 * statement, and inside a transaction it would end it behind the package's back.
 *
 * @throws UsageError TRANSACTION_CONTROL
 */
export function refuseTransactionControl({ text }: Statement): void {
  const command = transactionControl(text);
  if (command === undefined) return;
  throw new UsageError(`${command} controls a transaction. Use db.transaction(), or db.session().`, { code: "TRANSACTION_CONTROL" });
}
