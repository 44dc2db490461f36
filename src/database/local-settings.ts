import { UsageError } from "../errors/errors.ts";
import { isLocalSetting } from "../syntax/setting-control.ts";
import type { Statement } from "../transports/transport.ts";
import { tagOf } from "./data.ts";
import { encodeJson } from "./json.ts";
import { checkText, refuse, unsupported, writable } from "./refuse-value.ts";

/** What a setting can be: text, or what is written as text; an object is written as JSON. */
export type SettingValue = string | number | bigint | boolean | object;

/** What statements are put under. */
export interface LocalSettings {
  /**
   * By name: one of your own, with a dot in it, or `search_path`, `TimeZone`, `statement_timeout`, `lock_timeout`,
   * `idle_in_transaction_session_timeout`. An object is written as JSON; an array, null and undefined are refused.
   */
  readonly settings?: Readonly<Record<string, SettingValue>>;
  /** A role that the login's role is a member of. */
  readonly role?: string;
}

/** Settings that were checked: by name, in the order in which they are set. */
export interface CheckedSettings {
  readonly values: ReadonlyMap<string, string>;
  readonly role: string | undefined;
}

/** Names longer than this are no names. Source: PostgreSQL, NAMEDATALEN. */
const MAX_NAME_BYTES = 63;

/**
 * What was given, within what stands around it: the inner one wins.
 *
 * @throws UsageError INVALID_OPTION for a name that cannot be set, a role that is none, and nothing at all; UNDEFINED_VALUE, UNSUPPORTED_VALUE
 * and the like for a value
 */
export function checkSettings(given: LocalSettings, outer?: CheckedSettings): CheckedSettings {
  return writable("What db.with is given", () => {
    if (!isRecord(given)) throw invalid("db.with takes an object: { settings, role }.");
    const values = new Map(outer?.values);
    let role = outer?.role;
    for (const [key, value] of Object.entries(given)) {
      if (key === "settings") addTo(values, value);
      else if (key === "role") role = roleOf(value);
      else throw invalid(`db.with has no ${JSON.stringify(key)}. It takes settings and role.`);
    }
    if (values.size === 0 && role === undefined) throw invalid("db.with was given nothing to set: name a setting or a role.");
    return { values, role };
  });
}

/** The statement that sets them for its transaction: the role comes last, for it may set less than the login's. */
export function settingStatement({ values, role }: CheckedSettings): Statement {
  const names = [...values.keys()];
  const parameters = [...values.values()];
  if (role !== undefined) {
    names.push("role");
    parameters.push(role);
  }
  return { text: `select ${names.map((name, index) => `set_config('${name}', $${index + 1}, true)`).join(", ")}`, values: parameters };
}

function addTo(values: Map<string, string>, settings: unknown): void {
  if (!isRecord(settings)) throw invalid("The settings of db.with are an object of names and values.");
  for (const [name, value] of Object.entries(settings)) {
    if (name.length > MAX_NAME_BYTES || !isLocalSetting(name)) throw unsettable(name);
    values.set(name.toLowerCase(), textOf(value, `The setting ${name}`));
  }
}

function textOf(value: unknown, party: string): string {
  switch (typeof value) {
    case "string":
      return checkText(value, party);
    case "number":
      if (!Number.isFinite(value)) throw unsupported(party, "is NaN or Infinity");
      return String(value);
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      if (value !== null) return jsonOf(value, party);
      throw unsupported(party, "is null; send an empty text, which is what a setting without a value reads as");
    case "undefined":
      throw refuse(party, "UNDEFINED_VALUE", "is undefined; leave it out, or send a value");
    default:
      throw unsupported(party, `is a ${typeof value}, which no setting can be`);
  }
}

function jsonOf(value: object, party: string): string {
  const text = encodeJson(value, party);
  if (text.startsWith("{")) return text;
  throw unsupported(party, "is no object in JSON; write it as the text that it is to be");
}

function roleOf(role: unknown): string {
  if (typeof role !== "string" || role === "") throw invalid("The role of db.with is the name of a role.");
  if (/^none$/i.test(role)) throw invalid("The role none is the login's own; db.with sets another.");
  // no character has more than three bytes for each half of it: most names need no counting
  if (3 * role.length > MAX_NAME_BYTES && new TextEncoder().encode(role).length > MAX_NAME_BYTES)
    throw invalid(`The role of db.with has more than ${MAX_NAME_BYTES} bytes.`);
  return checkText(role, "The role of db.with");
}

function unsettable(name: string): UsageError {
  const named = /^[\w.]{1,63}$/.test(name) ? name : "What is given as a name";
  return invalid(
    `${named} is no setting for db.with: use a name with a dot, as app.tenant, or search_path, TimeZone, statement_timeout, lock_timeout, idle_in_transaction_session_timeout.`,
  );
}

const isRecord = (value: unknown): value is object => typeof value === "object" && value !== null && tagOf(value) === "[object Object]";

const invalid = (message: string): UsageError => new UsageError(message, { code: "INVALID_OPTION" });
