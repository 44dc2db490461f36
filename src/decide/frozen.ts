/** Freezes objects and lists to the bottom, functions never, and gives the value back. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
