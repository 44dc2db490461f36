import { ofTransaction, updatesSettings } from "./session-use.ts";
import { command, firstOf, nameOf, type StatementTokens, word } from "./statements.ts";

/** Settings without a dot that hold for one transaction alone, and give nobody more than they have. */
const plain = new Set(["search_path", "timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]);

/** A setting of one's own: words with dots between. Source: PostgreSQL, `valid_custom_variable_name`. */
const dotted = /^[a-z_][\w$]*(?:\.[a-z_][\w$]*)+$/i;

/** Whether a transaction can be put under a setting of this name, in whichever case it is written. */
export function isLocalSetting(name: string): boolean {
  return dotted.test(name) || plain.has(name.toLowerCase());
}

/**
 * What of `text` could change the role or the settings that its transaction was put under; undefined where nothing of the text can. What a
 * function, a procedure or a trigger does inside cannot be seen. Either reading of its backslashes counts.
 */
export function settingControl(text: string): string | undefined {
  return mayControl.test(text) ? firstOf(text, controlOf) : undefined;
}

/** A text without any of these is not read. */
const mayControl = /set_config|pg_settings|u&"|(?<![\w$])(?:set|reset|discard|do)(?![\w$])/i;

/** Commands that change settings, or run text that nobody looks into. */
const whole = new Set(["RESET", "DISCARD", "DO"]);

function controlOf(statement: StatementTokens): string | undefined {
  const by = command(statement);
  if (whole.has(by)) return by;
  if (by === "SET") return setControl(statement);
  if (updatesSettings(statement)) return "UPDATE pg_settings";
  for (const [at, token] of statement.entries()) {
    // what it names is told by none of its letters
    if (token.kind === "name" && /^u/i.test(token.text)) return 'A name as U&"…"';
    if (nameOf(token) !== "set_config" || statement[at + 1]?.text !== "(") continue;
    if (statement[at - 1]?.text !== "." || nameOf(statement[at - 2]) === "pg_catalog") return "set_config";
  }
  return undefined;
}

/** Who one is; and the encoding, in which the server reads other words than these: in GBK the quote of `E'€\'` ends the text. */
const withheld = new Set(["ROLE", "SESSION_AUTHORIZATION", "CLIENT_ENCODING"]);

/** SET may change the transaction's own modes and constraints, and, for it alone, what no transaction is put under. */
function setControl([, scope, name, sign]: StatementTokens): string | undefined {
  if (ofTransaction.has(word(scope))) return undefined;
  if (word(scope) !== "LOCAL") return "SET";
  // SET LOCAL ROLE x, TIME ZONE x, SCHEMA x and their like have neither sign
  const isPlain = sign?.text === "=" || word(sign) === "TO";
  return isPlain && name?.kind === "word" && !withheld.has(word(name)) && !isLocalSetting(name.text) ? undefined : "SET LOCAL";
}
