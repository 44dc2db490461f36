/**
 * A JSON parameter as the text Postgres reads, or null for NULL: booleans and numbers as their text, a string as it is, an object as JSON, an
 * array as an array literal. Postgres, not JSON, decides the parameter's type.
 */
export function parameterText(value: unknown): string | null {
  if (value === null) return null;
  if (typeof value === "string") return value;
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value);
}

function arrayLiteral(items: readonly unknown[]): string {
  return `{${items.map(arrayItem).join(",")}}`;
}

function arrayItem(item: unknown): string {
  if (item === null) return "NULL";
  if (Array.isArray(item)) return arrayLiteral(item);
  if (typeof item === "string") return quoted(item);
  return typeof item === "object" ? quoted(JSON.stringify(item)) : JSON.stringify(item);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
