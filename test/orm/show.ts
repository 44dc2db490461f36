/** A value as text, with everything that JSON would lose: what is equal on two runtimes reads the same. */
export function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Date) return `Date(${Number.isNaN(value.getTime()) ? "invalid" : value.toISOString()})`;
  if (ArrayBuffer.isView(value)) return `bytes(${[...new Uint8Array(value.buffer, value.byteOffset, value.byteLength)]})`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  const { name = "" } = value.constructor ?? {};
  const entries = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}: ${show(inner)}`);
  return `${name === "Object" ? "" : `${name} `}{${entries.join(", ")}}`;
}
