import type { Configured } from "../evidence.ts";
import type { Found } from "../rule.ts";

/** What is found once, or not at all. */
export function one(when: boolean, found: () => Found): readonly Found[] {
  return when ? [found()] : [];
}

/** A parameter to add to the URL, wherever that was given. */
export function urlOf({ urlName }: Pick<Configured, "urlName">, parameter: string): string {
  return `${urlName}: …?${parameter}`;
}

/** Milliseconds in words, to the nearest minute. */
export function inMinutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}

/** The role of the login, quoted. */
export function roleOf({ settings }: Pick<Configured, "settings">): string {
  return quoted(settings.address.user);
}

/** A name, as SQL quotes it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
