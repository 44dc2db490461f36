import type { Fate } from "./errors.ts";

/** A transaction's status, as ReadyForQuery tells it: none, one open, or one that failed and can only be rolled back. */
export type TransactionStatus = "idle" | "open" | "failed";

/**
 * How far a call got: nothing was written; its login did not end; written, and nothing of it had begun; answered in part; answered to its end.
 * An ERROR that comes before ParseComplete leaves it at `written`.
 */
export type Phase = "unsent" | "login" | "written" | "begun" | "answered";

/**
 * What was sent, by what of it can stay before its end is heard.
 *
 * - `autocommit`: one statement, outside of a transaction block.
 * - `open`: statements in a block whose COMMIT is not among them.
 * - `commit`: statements whose last one is the COMMIT of their block.
 * - `script`: a text of several statements, which may hold a COMMIT of its own.
 */
export type Work = "autocommit" | "open" | "commit" | "script";

/** The server's ErrorResponse as evidence. */
interface Refusal {
  readonly code: string;
  /** Whether the connection ended with it. */
  readonly fatal: boolean;
  /** Whether Postgres itself said it: a pooler's own words prove nothing of the server behind it. */
  readonly byServer: boolean;
}

/** What came back: a refusal, the loss of the link, an answer that could not be decoded, or one that is no answer to what was asked. */
export type Answer = Refusal | "lost" | "unread" | "out-of-step";

/** What is known of a call that failed. Every driver hands over the same. */
export interface Evidence {
  readonly work: Work;
  readonly phase: Phase;
  /** What ReadyForQuery told behind the failure; undefined where none came, or nobody tells (HTTP). */
  readonly status: TransactionStatus | undefined;
  /** How many commands were answered, and whether a COMMIT of the caller's own is among them. */
  readonly completed: { readonly count: number; readonly committed: boolean };
  /** Whether the command that failed can commit by itself: CALL, DO and their like. Of a script, its first. */
  readonly selfCommitting: boolean;
  readonly answer: Answer;
}

/** Conditions that mean "nobody knows" by their name. Source: PostgreSQL documentation, error codes. */
const unknownByName: ReadonlySet<string> = new Set(["08007", "40003"]);

/** A server that crashes says so at any point of its work. Source: PostgreSQL's sources, quickdie(). */
const CRASH_SHUTDOWN = "57P02";

/** Classes in which a pooler or proxy speaks of its own link: connection, system, internal. */
const saidOfLinks = /^(08|58|XX)/;

/**
 * The fate of a call that failed. `refused` is a promise that nothing stays done, so it takes proof: a block that never got its COMMIT, the
 * server's own refusal of what cannot stay in part, or a farewell before anything had begun. The table is in docs/architecture.md.
 */
export function fateFromEvidence(evidence: Evidence): Fate {
  const { work, phase, answer } = evidence;
  if (phase === "unsent" || phase === "login") return "not-sent";
  if (answer === "unread") return "applied";
  if (answer === "out-of-step") return "unknown";
  if (answer !== "lost" && unknownByName.has(answer.code)) return "unknown";
  if (work === "open") return "refused";
  if (answer === "lost") return "unknown";
  if (answer.fatal) return isFarewell(answer, evidence) ? "refused" : "unknown";
  if (!answer.byServer && saidOfLinks.test(answer.code)) return "unknown";
  return phase !== "written" && mayStayInPart(evidence) ? "unknown" : "refused";
}

/** Whether the server gave the connection up before it had begun: in the extended protocol ParseComplete comes before anything is done. */
function isFarewell({ code, byServer }: Refusal, { work, phase }: Evidence): boolean {
  return phase === "written" && work !== "script" && byServer && code !== CRASH_SHUTDOWN;
}

/** Whether some of the work may have been committed before the rest was refused. The statements of a script stand in a block together. */
function mayStayInPart({ work, status, completed, selfCommitting }: Evidence): boolean {
  if (work === "commit") return false;
  if (work === "autocommit") return selfCommitting;
  return completed.committed || (completed.count === 0 && status !== "failed" && selfCommitting);
}

/**
 * Whether a report refuses the text itself, before anything of it was done: only then a position points into it. What a text executes by
 * itself (DO, a function's EXECUTE) is pointed into by another field.
 * Source: PostgreSQL documentation, "Error and Notice Message Fields".
 */
export function refusesText({ code, position, internalQuery, where }: ReportedPlace): boolean {
  return code.startsWith("42") && Boolean(position) && !internalQuery && !where;
}

/** The part of a report that says where in the text it arose. */
export interface ReportedPlace {
  readonly code: string;
  readonly position?: string | null | undefined;
  readonly internalQuery?: string | null | undefined;
  readonly where?: string | null | undefined;
}

/** Whether a report comes from Postgres itself: it names the routine of its sources that raised it, and what stands before it does not. */
export function saidByPostgres({ routine }: { readonly routine?: string | null | undefined }): boolean {
  return typeof routine === "string" && routine !== "";
}
