import { UsageError } from "../errors/errors.ts";
import { look } from "../errors/look.ts";
import { isData, refuseObject, tagOf } from "./data.ts";
import { checkText, circular, invalidDate, type Party, sqlInside, tooLarge, undefinedItem, unsupported } from "./refuse-value.ts";
import { sqlParts } from "./sql-parts.ts";

/** What one look through a value knows. */
interface Walk {
  readonly party: Party;
  readonly root: unknown;
  /** How many objects have been looked at. */
  looks: number;
  /** The length of what has been looked at, at least; `OPEN` while what is within is being looked at. */
  readonly lengths: Map<object, number>;
}

const OPEN = -1;

/** So many looks cost less than to remember what was looked at. From then on it is, so that no graph has more paths than patience. */
const FREE_LOOKS = 1000;

/** No engine but one holds a longer text, and no jsonb. Shared objects are written each time, so that a small graph can be longer. */
const LONGEST = 2 ** 29;

/**
 * JSON text of what is data in it, through and through. JSON itself writes a Map as `{}`, and NaN, an invalid Date, and undefined in an array
 * as null: what would be lost in it is refused. A property that is undefined or a function is left out, as in all JSON.
 *
 * @throws UsageError UNSUPPORTED_VALUE, UNDEFINED_VALUE, PROMISE_VALUE, CIRCULAR_VALUE, INVALID_DATE
 */
export function encodeJson(value: unknown, party: Party): string {
  let text: string | undefined;
  try {
    if (lengthOf(value, "", { party, root: value, looks: 0, lengths: new Map() }) > LONGEST) throw tooLarge(party);
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof UsageError || look(() => error instanceof RangeError, false)) throw error;
    throw unsupported(party, "has a getter or a toJSON that throws");
  }
  if (text === undefined) throw unsupported(party, "has no form in JSON");
  return checkText(text, party);
}

/** How long the JSON of a value is at least; 0 for what JSON leaves out. Throws where something would be lost. */
function lengthOf(value: unknown, key: string | number, walk: Walk): number {
  switch (typeof value) {
    case "string":
      return value.length + 2;
    case "number":
      if (Number.isFinite(value)) return 1;
      throw unsupported(walk.party, "holds NaN or Infinity; write null or text");
    case "boolean":
      return 4;
    case "bigint":
      if ("toJSON" in Object(value)) return 1;
      throw unsupported(walk.party, "holds a bigint; write it as text");
    case "object":
      return value === null ? 4 : lengthOfObject(value, key, walk);
    default:
      return 0;
  }
}

function lengthOfObject(value: object, key: string | number, walk: Walk): number {
  if (++walk.looks <= FREE_LOOKS) return lengthOfMembers(value, key, walk);
  const known = walk.lengths.get(value);
  if (known === OPEN) throw circular(walk.party);
  if (known !== undefined) return known;
  walk.lengths.set(value, OPEN);
  const length = lengthOfMembers(value, key, walk);
  walk.lengths.set(value, length);
  return length;
}

function lengthOfMembers(value: object, key: string | number, walk: Walk): number {
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === "function" ? lengthOfOwnForm(value as OwnForm, key, walk) : lengthOfData(value, walk);
}

/** What says itself how it is written. */
interface OwnForm {
  toJSON(key: string): unknown;
}

/** Of what a toJSON gives, which is asked for no other: a Date in its place is an object like another. */
function lengthOfOwnForm(value: OwnForm, key: string | number, walk: Walk): number {
  if (sqlParts in value) throw sqlInside(walk.party);
  if (tagOf(value) === "[object Date]" && Number.isNaN(Number(value))) throw invalidDate(walk.party);
  const form = value.toJSON(String(key));
  if (typeof form !== "object" || form === null) return lengthOf(form, key, walk);
  return lengthOfData(form, walk);
}

function lengthOfData(value: object, walk: Walk): number {
  if (Array.isArray(value)) return lengthOfItems(value, walk);
  const keys = Object.keys(value);
  if (!isData(value, keys.length)) {
    throw refuseObject(value, walk.party, value === walk.root ? "is" : "holds");
  }
  let length = 2;
  for (const key of keys) {
    const inner = lengthOf((value as Readonly<Record<string, unknown>>)[key], key, walk);
    if (inner > 0) length += key.length + inner + 3;
  }
  return length;
}

function lengthOfItems(items: readonly unknown[], walk: Walk): number {
  let length = 2;
  for (let index = 0; index < items.length; index++) {
    const item = items[index];
    const inner = lengthOf(item, index, walk);
    if (inner === 0) throw item === undefined ? undefinedItem(walk.party) : unsupported(walk.party, `holds a ${typeof item} in an array`);
    length += inner + 1;
  }
  return length;
}
