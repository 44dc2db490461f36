import { WAS_DONE } from "./decode-failure.ts";
import { DecodeError, WarmlineError } from "./errors.ts";

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
export function transactionUnread({ message, code, cause, column, columnIndex, typeId }: DecodeError): DecodeError {
  const unread = message.replace(WAS_DONE, "The transaction was rolled back");
  return new DecodeError(unread, { code, fate: "refused", cause, column, columnIndex, typeId });
}
