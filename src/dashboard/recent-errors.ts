import type { DatabaseEvent } from "./watched.ts";

/** A failure as it is shown: no value is in it. */
interface ShownError {
  readonly code: string;
  readonly fate: string | null;
  readonly message: string | null;
  readonly excerpt: string | null;
  readonly operation: string;
  /** When it was seen last, milliseconds since the epoch, and how often in a row with its like. */
  readonly at: number;
  readonly times: number;
}

const MOST = 8;
/** Of a message, in characters. */
const LONGEST = 400;

/** The last failures, the newest first; what repeats is one with a count. */
export interface RecentErrors {
  readonly list: readonly ShownError[];
  /** Another whenever the list is. */
  readonly version: number;
  add(event: DatabaseEvent, at: number): void;
}

/** None yet; it keeps eight. */
export function makeRecentErrors(): RecentErrors {
  let list: readonly ShownError[] = [];
  let version = 0;
  return {
    get list() {
      return list;
    },
    get version() {
      return version;
    },
    add(event, at) {
      if (event.type !== "query" || event.failure === null) return;
      const { code, fate, message, excerpt } = event.failure;
      const same = list.find((other) => other.code === code && other.fate === fate && other.excerpt === excerpt);
      const cut = message !== null && message.length > LONGEST ? `${message.slice(0, LONGEST)}…` : message;
      const shown = { code, fate, message: cut, excerpt, operation: event.operation, at, times: (same?.times ?? 0) + 1 };
      list = [shown, ...list.filter((other) => other !== same)].slice(0, MOST);
      version++;
    },
  };
}
