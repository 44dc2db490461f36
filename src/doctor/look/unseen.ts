import type { Found } from "../rule.ts";

/** What is needed for all that follows is not there: the reason why the rest was not seen, and where it is one, the fault. */
export interface Failed {
  readonly reason: string;
  readonly fault?: { readonly rule: FailureName } & Found;
}

/** Faults that no rule over evidence finds, for there is none: what each costs. */
export const failures = {
  "settings-refused": "Nothing connects: the first call fails with this before anything is sent.",
  unreachable: "Nothing connects: every call fails with CONNECT_FAILED or CONNECT_TIMEOUT.",
  "tls-failed": "Nothing connects, or whoever is on the way can read along.",
  "login-refused": "Nothing connects: every call fails with this SQLSTATE.",
} as const;

/** Their names, which are headings in docs/doctor.md. */
export type FailureName = keyof typeof failures;

/** What went on, or what ended it. */
export type Looked<T> = { readonly value: T } | { readonly failed: Failed };

/** What ended it, as a fault: its reason is what was found. */
export function failed(rule: FailureName, found: string, change: string, at?: string): { readonly failed: Failed } {
  return { failed: { reason: found, fault: { rule, found, change, ...(at === undefined ? {} : { at }) } } };
}
