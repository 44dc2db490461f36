import { WAS_DONE } from "./decode-failure.ts";
import { DecodeError, UsageError, WarmlineError } from "./errors.ts";

/** A transaction ended in ROLLBACK although its work did not throw: a statement in it had failed, or its stream was left, and nothing stays done. */
export class TransactionError extends WarmlineError {
  static override readonly name = "TransactionError";
}

/** The error of a COMMIT that was answered with ROLLBACK. */
export function transactionFailed(): TransactionError {
  return new TransactionError("The transaction was rolled back, for a statement in it had failed. Let that error leave the callback.", {
    code: "TRANSACTION_FAILED",
    fate: "refused",
  });
}

/** The error of a stream that was left before its end, of a statement that writes. */
export function streamBrokenOff(): TransactionError {
  return new TransactionError(
    "The stream was left before its end, so that what it wrote was rolled back. Read it to its end to keep that.",
    {
      code: "STREAM_BROKEN_OFF",
      fate: "refused",
    },
  );
}

/** The error of a transaction that was rolled back because an answer in it could not be read. */
export function transactionUnread(error: DecodeError): DecodeError {
  const { code, cause, column, columnIndex, typeId, rowIndex, path } = error;
  const message = error.message.replace(WAS_DONE, "The transaction was rolled back");
  return new DecodeError(message, { code, fate: "refused", cause, column, columnIndex, typeId, rowIndex, path });
}

/** What a statement of a transaction rejects with that would stand alone. */
export function transactionNotBegun(): UsageError {
  return new UsageError("This transaction has not begun, or a statement ended it. Begin another.", { code: "TRANSACTION_OVER" });
}
