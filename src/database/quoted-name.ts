import { checkText, invalidStatement } from "./refuse-value.ts";

/** A name in quotes, as Postgres takes it word for word. @throws UsageError INVALID_STATEMENT, NUL_CHARACTER, LONE_SURROGATE */
export function quotedName(name: unknown): string {
  if (typeof name !== "string" || name === "") throw invalidStatement("Names of tables and columns are texts that are not empty.");
  return `"${checkText(name, "The identifier").replaceAll('"', '""')}"`;
}
