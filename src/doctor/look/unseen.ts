import type { Found } from "../rule.ts";

/** Something that is needed for all that follows failed: a fault by itself, and the reason why the rest was not seen. */
export interface Failed {
  readonly rule: FailureName;
  readonly found: Found;
  readonly reason: string;
}

/** Faults that no rule over evidence finds, for there is none: what each costs. */
export const failures = {
  "settings-refused": "Nothing connects: the first call fails with this before anything is sent.",
  unreachable: "Nothing connects: every call fails with CONNECT_FAILED or CONNECT_TIMEOUT.",
  "tls-failed": "Nothing connects, or whoever is on the way can read along.",
  "login-refused": "Nothing connects: every call fails with this SQLSTATE.",
} as const;

export type FailureName = keyof typeof failures;

/** What went on, or what ended it. */
export type Looked<T> = { readonly value: T } | { readonly failed: Failed };

export function failed(rule: FailureName, found: string, change: string, at?: string): { readonly failed: Failed } {
  return { failed: { rule, found: { found, change, ...(at === undefined ? {} : { at }) }, reason: found } };
}
