import type { Fate } from "./errors.ts";
import { look } from "./look.ts";

/** Where those who wrap errors keep what they wrapped: the language's own names, then TypeORM's, MikroORM's, Sequelize's and Prisma's. */
const places = ["cause", "errors", "driverError", "previous", "original", "meta", "driverAdapterError"] as const;

/** From the one that promises least: of several failures, what holds of all of them. */
const byCaution: readonly Fate[] = ["unknown", "applied", "refused", "not-sent"];

/**
 * What became of the work that failed, however an ORM has wrapped the error: `cause` within `cause`, an AggregateError, an ORM's own property. The
 * outermost error that has a fate speaks for what it wraps, be it of this package or one of pg's, of Node's or for Prisma that this package told it;
 * of several side by side the one that promises least. Undefined where none has one.
 */
export function fateOf(error: unknown): Fate | undefined {
  const seen = new Set<unknown>();
  const find = (found: unknown): Fate | undefined => {
    if (isTold(found)) return found.fate;
    if (typeof found !== "object" || found === null || seen.has(found)) return undefined;
    seen.add(found);
    const inner = Array.isArray(found) ? found : places.map((place) => look(() => (found as Record<string, unknown>)[place], undefined));
    const fates = inner.map(find);
    return byCaution.find((fate) => fates.includes(fate));
  };
  return look(() => find(error), undefined);
}

function isTold(found: unknown): found is Error & { readonly fate: Fate } {
  return look(() => {
    const { fate, retryable } = found as { readonly fate: Fate; readonly retryable: unknown };
    return found instanceof Error && typeof retryable === "boolean" && byCaution.includes(fate);
  }, false);
}
