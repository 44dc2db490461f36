import { UsageError } from "../errors/errors.ts";
import { type SessionUse, type SessionUseKind, sessionUse } from "../syntax/session-use.ts";
import { settingControl } from "../syntax/setting-control.ts";
import { transactionControl } from "../syntax/transaction-control.ts";
import type { Statement } from "../transports/transport.ts";
import type { Lacking } from "./lacking.ts";

/** What the target does with the state of a session. */
export interface SessionTraits {
  /** It stays with the connection, which can be cleaned. */
  readonly sessionState: boolean;
  /** It stays, and ties the connection to its backend until it ends. */
  readonly pins: boolean;
  /** Refuses what the target has not. Default: it has all. */
  readonly lacking?: Lacking | undefined;
  /** The statements stand under settings of `db.with`. Default false. */
  readonly hasSettings?: boolean;
}

/** What the target of a database does, of statements under these settings. */
export function traitsOf({ plan, lacking }: TargetGround, settings?: Statement): SessionTraits {
  return settings || lacking ? { ...plan.capabilities, lacking, hasSettings: settings !== undefined } : plan.capabilities;
}

/** What is known of a target. */
interface TargetGround {
  readonly plan: { readonly capabilities: SessionTraits };
  readonly lacking?: Lacking | undefined;
}

/**
 * Refuses a statement sent by itself that begins, ends or divides a transaction, or that sets the state of a session: the next one may go by
 * another connection, and somebody else's by this one.
 *
 * @throws UsageError TRANSACTION_CONTROL, SESSION_STATE, NOT_DELIVERED, NOT_SUPPORTED
 */
export function guardQuery({ text }: Statement, lacking: Lacking | undefined): void {
  const { control, use } = read(text);
  if (control !== undefined) throw controls(control);
  lacking?.text(text);
  if (use === undefined) return;
  throw notDelivered(use) ?? refusal(`${use.by} needs a session: others get this connection next. ${remedies[use.kind]}, or db.session().`);
}

/**
 * Refuses a statement under settings whose text could change them, or give the login's role back.
 *
 * @throws UsageError SETTING_CONTROL
 */
export function guardSettings({ text }: Statement): void {
  const reading = read(text);
  reading.changes ??= settingControl(text) ?? "";
  if (reading.changes === "") return;
  const message = `${reading.changes} can change the role or settings of db.with(). Give them to db.with(), and all else to a function.`;
  throw new UsageError(message, { code: "SETTING_CONTROL" });
}

/**
 * Refuses a statement of a batch or transaction that would end it behind the package's back; and on targets that keep no session one that sets
 * its state. Returns whether the statement may leave some behind.
 *
 * @throws UsageError TRANSACTION_CONTROL, SETTING_CONTROL, SESSION_STATE, NOT_DELIVERED, NOT_SUPPORTED
 */
export function guardInside(statement: Statement, traits: SessionTraits): boolean {
  const { control, use } = read(statement.text);
  if (control !== undefined) throw controls(control);
  if (traits.hasSettings) guardSettings(statement);
  traits.lacking?.text(statement.text);
  return use !== undefined && mayLeave(use, traits);
}

/** The same of several. */
export function guardEach(statements: readonly Statement[], traits: SessionTraits): boolean {
  return statements.map((statement) => guardInside(statement, traits)).includes(true);
}

/**
 * The same of a statement of a session, which takes the control of transactions, too. What a function sets inside cannot be seen: where the
 * connection can be cleaned, each statement may leave something.
 *
 * @throws UsageError SESSION_STATE, NOT_DELIVERED, NOT_SUPPORTED
 */
export function guardHeld({ text }: Statement, traits: SessionTraits): boolean {
  const { use } = read(text);
  traits.lacking?.text(text);
  return (use !== undefined && mayLeave(use, traits)) || traits.sessionState;
}

/** The same of a script, whose rows nobody is given. @throws UsageError SESSION_STATE, NOT_SUPPORTED */
export function guardScript(text: string, traits: SessionTraits): boolean {
  traits.lacking?.text(text);
  const use = traits.sessionState ? undefined : sessionUse(text);
  return use === undefined || use.kind === "copying" ? traits.sessionState : kept(use, traits);
}

function mayLeave(use: SessionUse, traits: SessionTraits): boolean {
  const undelivered = notDelivered(use);
  if (undelivered) throw undelivered;
  return kept(use, traits);
}

function kept(use: SessionUse, { sessionState, pins }: SessionTraits): true {
  if (sessionState || pins) return true;
  throw refusal(`${use.by} needs a session, and this target keeps none. ${remedies[use.kind]}, or a direct connection.`);
}

/** What to do instead of what sets the state of a session, in halves of a sentence. */
const remedies: Readonly<Record<SessionUseKind, string>> = {
  setting: "Use SET LOCAL or set_config(…, true) in db.transaction(), the setting startupOptions",
  lock: "Use pg_advisory_xact_lock in db.transaction()",
  temporary: "Use CREATE TEMPORARY TABLE … ON COMMIT DROP in db.transaction()",
  prepared: "Use parameters, which need no PREPARE",
  cursor: "Use a cursor without HOLD in db.transaction()",
  library: "Use session_preload_libraries",
  everything: "Leave it to the package, which cleans what a session has used",
  listening: "Use a client of pg's own on a direct connection, as in docs/listening.md; to send, pg_notify() works here",
  copying: "Use SELECT, or pg-copy-streams on a client of sharedPool()",
};

function notDelivered({ kind, by }: SessionUse): UsageError | undefined {
  if (kind !== "listening" && kind !== "copying") return undefined;
  return new UsageError(`What ${by} brings comes beside the rows, and reaches nobody here. ${remedies[kind]}.`, { code: "NOT_DELIVERED" });
}

const refusal = (message: string): UsageError => new UsageError(message, { code: "SESSION_STATE" });

const controls = (command: string): UsageError =>
  new UsageError(`${command} controls a transaction. Use db.transaction(), or db.session().`, { code: "TRANSACTION_CONTROL" });

/** What a text does beside reading and writing rows. */
interface Reading {
  readonly control: string | undefined;
  readonly use: SessionUse | undefined;
  /** Of the settings it stands under; empty for nothing, undefined before anybody asks. */
  changes?: string;
}

/** So many characters of texts are remembered, with what was read in them: a call with a known text costs one look-up. */
const REMEMBERED = 262_144;

const readings = new Map<string, Reading>();
let remembered = 0;

function read(text: string): Reading {
  const known = readings.get(text);
  if (known !== undefined) return known;
  const reading: Reading = { control: transactionControl(text), use: sessionUse(text) };
  if (text.length > REMEMBERED / 8) return reading;
  remembered += text.length;
  if (remembered > REMEMBERED) {
    readings.clear();
    remembered = text.length;
  }
  readings.set(text, reading);
  return reading;
}
