import { type Phase, refusesText, type TransactionStatus, type Work } from "../errors/fate.ts";
import { transactionControl } from "../syntax/transaction-control.ts";
import type { Exchange, ExchangeFailure } from "../wire/exchange.ts";
import type { NamedForm } from "../wire/named-statements.ts";
import { inStep } from "./in-step.ts";
import type { ExchangeCall, Statement } from "./transport.ts";

/** An exchange on its way, how it was asked for, and the transaction status it was written in. */
export interface Sent {
  readonly exchange: Pick<Exchange, "sent" | "begun" | "answers">;
  readonly statements: readonly Statement[];
  readonly call: ExchangeCall & { readonly script?: string | undefined };
  readonly before: TransactionStatus;
}

/** Whether ReadyForQuery came behind a failure. */
export function isAnswered(failure: ExchangeFailure): boolean {
  return failure.kind === "unread" || (failure.kind === "refused" && failure.ready);
}

/** What an exchange that ended has failed with, its own check included: the status it left must be the one it had to. */
export function judge(
  failure: ExchangeFailure | undefined,
  { exchange, statements, call, before }: Sent,
  after: TransactionStatus,
): ExchangeFailure | undefined {
  const { prelude = 0, ends = "autocommit", script } = call;
  if (failure !== undefined && !isAnswered(failure)) return failure;
  const kept = inStep({
    ends: script === undefined || ends === "free" ? ends : "script",
    before,
    after,
    refused: failure?.kind === "refused",
    answers: exchange.answers,
    prelude,
    sent: statements.length,
  });
  return kept ? failure : { kind: "out-of-step" };
}

/** What is known of an exchange that failed besides its failure. */
export interface ExchangeEvidence {
  readonly work: Work;
  readonly phase: Phase;
  readonly statements: readonly Statement[];
  /** The text of a script, which has no statements. */
  readonly script?: string | undefined;
  /** Statements put before the caller's own (BEGIN, SAVEPOINT). */
  readonly prelude: number;
  readonly answers: Exchange["answers"];
  /** Whether nothing of it had begun, and no transaction was open: it was not sent, or the server said farewell before. */
  readonly isUnbegun: boolean;
}

/** What an exchange leaves that failed. */
export function evidenceOf(failure: ExchangeFailure, sent: Sent): ExchangeEvidence {
  const { statements, exchange, call, before } = sent;
  const { script, prelude = 0 } = call;
  const phase = phaseOf(failure, sent);
  const isFarewell = failure.kind === "refused" && !failure.ready;
  const isUnbegun = before === "idle" && (phase === "unsent" || (phase === "written" && isFarewell));
  return { work: workOf(sent), phase, statements, script, prelude, answers: exchange.answers, isUnbegun };
}

/** How far an exchange got that failed. */
function phaseOf(failure: ExchangeFailure, sent: Sent): Phase {
  const { exchange } = sent;
  const isTextRefused = failure.kind === "refused" && exchange.answers.length === 0 && refusesText(failure.report);
  if (exchange.begun && !isTextRefused) return isAnswered(failure) ? "answered" : "begun";
  return exchange.sent || isUndone(sent) ? "written" : "unsent";
}

/** What an exchange stands for, by what of it can stay. */
function workOf(sent: Sent): Work {
  const { ends = "autocommit", script } = sent.call;
  if (isUndone(sent) || ends === "rollback") return "open";
  if (script !== undefined) return "script";
  if (ends !== "free") return ends;
  if (sent.before === "idle") return "autocommit";
  return sent.statements.some(({ text }) => commits.has(transactionControl(text))) ? "commit" : "open";
}

/** Whether it was not sent in a transaction that is open: it is undone with the rest of it. */
function isUndone({ exchange, before }: Sent): boolean {
  return !exchange.sent && before !== "idle";
}

/** What the caller's own control commits by, where a transaction is open. */
const commits: ReadonlySet<string | undefined> = new Set(["COMMIT", "END", "PREPARE TRANSACTION"]);

/** What was sent by a name, maybe. */
interface NamedSent {
  readonly exchange: Pick<Exchange, "bound">;
  readonly named: NamedForm | undefined;
}

/**
 * Whether the server refused the name of a statement, and not the statement: it is gone, stands for something else, or was planned for what has
 * changed since. All that is told before the statement is bound. Source: PostgreSQL, `prepare.c` and `plancache.c`.
 */
export function isNameRefused(
  { report: { code }, ready }: Extract<ExchangeFailure, { kind: "refused" }>,
  { exchange, named }: NamedSent,
): boolean {
  if (named === undefined || exchange.bound || !ready) return false;
  // a parameter's type is that of the day the name was made: a value that fits the column's type of today may not fit it
  return /^(26000|0A000|42P05)$/.test(code) || (!named.prepares && /^(22|42)/.test(code));
}
