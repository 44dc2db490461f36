import type { UsageError } from "../errors/errors.ts";
import { isPromise, type Party, refuse, refusePromise } from "./refuse-value.ts";

/** What an object says it is: `[object Map]`, whatever realm it comes from, and for what is derived from it too. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

/** Built-in classes whose objects keep what they hold out of their properties: for those that hide their tag. */
const keepers = [Map, Set, Error, RegExp, Date, String];

/**
 * Whether JSON of an object's properties is the object: a plain object of any realm, or an instance of a class that has data in properties
 * of its own. What keeps its data elsewhere (a Map, a RegExp, private fields) would be written as `{}`, and is none.
 */
export function isData(value: object, properties: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype && properties > 0) return true;
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (plain && properties > 0) return true;
  if (tagOf(value) !== "[object Object]") return plain && tagOf(value) === "[object Module]";
  return plain || (properties > 0 && !keepers.some((keeper) => value instanceof keeper));
}

/** The error of an object that is no data. Its class is told, never what is in it. */
export function refuseObject(value: object, party: Party, verb: "is" | "holds"): UsageError {
  if (isPromise(value)) return refusePromise(party, value, `${verb} a promise; await it`);
  const name = nameOf(value);
  const instead =
    name === "Set" ? "[...set]" : name === "Map" ? "Object.fromEntries(map)" : "what is in it, or give it a toJSON or toPostgres";
  return refuse(party, "UNSUPPORTED_VALUE", `${verb} a ${name}, which has no form in ${verb === "is" ? "SQL" : "JSON"}; send ${instead}`);
}

/** The name of a class stands in somebody's code, while a tag could be made from what the object holds. */
function nameOf(value: object): string {
  const maker: unknown = Object.getPrototypeOf(value)?.constructor;
  return typeof maker === "function" ? maker.name : "Object";
}
