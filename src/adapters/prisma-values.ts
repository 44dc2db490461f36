import type { ArgType } from "./prisma-interface.ts";

/** A parameter of Prisma's as a database takes it: dates in UTC, and bytes out of base64. */
export function toValue(arg: unknown, argType: ArgType | undefined): unknown {
  if (arg === null || argType === undefined) return arg;
  if (Array.isArray(arg) && argType.arity === "list") return arg.map((item) => toValue(item, argType));
  const { scalarType } = argType;
  if (arg instanceof Date || (typeof arg === "string" && scalarType === "datetime")) return dateText(new Date(arg), argType.dbType);
  if (typeof arg === "string" && scalarType === "bytes") return Uint8Array.from(atob(arg), (byte) => byte.charCodeAt(0));
  return arg;
}

/** The zone is said, for the server's own may be another one; a type that has none leaves it out. */
function dateText(date: Date, dbType: string | undefined): string {
  // years of more than four digits have a sign there, and none in Postgres
  const [day, time] = date.toISOString().replace(/^\+0*/, "").split(/[TZ]/) as [string, string];
  if (dbType === "DATE") return day;
  if (dbType === "TIME") return time;
  return `${dbType === "TIMETZ" ? "" : `${day} `}${time}+00`;
}
