import type { Fate } from "../../src/entry/node.ts";
import type { Ground, Way } from "./fault.ts";
import type { Outcome } from "./outcome.ts";

/** What a call must fail with, exactly. */
export interface Expected {
  readonly code: string;
  readonly fate: Fate;
}

/** What a write by itself is told that is struck on its way: over `websocket` it stands in a transaction, whose COMMIT was not sent. */
export function struckOnItsWay(way: Way, code: string): Expected {
  return { code, fate: way === "websocket" ? "refused" : "unknown" };
}

/** What a call was told otherwise, in words; nothing where all is as expected. */
export function otherwise({ state, code, fate }: Outcome, expected: Expected): string | undefined {
  if (state === "failed" && code === expected.code && fate === expected.fate) return undefined;
  return `${state} (${code}, ${fate}) instead of ${expected.code}, ${expected.fate}`;
}

/** The same of a call that must succeed. */
export function failing({ state, code, fate }: Outcome): string | undefined {
  return state === "ok" ? undefined : `${state} (${code}, ${fate}) instead of success`;
}

/** What of a write is in the table otherwise than so often, in words. The table as a whole is judged at the end: this is for what may be there. */
export async function notKept({ admin }: Ground, id: string, times: number): Promise<string | undefined> {
  const [row] = await admin.query<{ times: number }>("select count(*)::int as times from fault_writes where id = $1", [id]);
  return row?.times === times ? undefined : `${row?.times} rows are there instead of ${times}`;
}
