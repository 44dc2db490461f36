import type { ClientSource } from "./client-source.ts";
import type { RequestClient } from "./open-client.ts";
import type { LeaseCall } from "./waiters.ts";

/** A query by itself, which stands on a connection alone, and then others may stand behind it, or behind others. */
export interface SharedCall<T> extends Pick<LeaseCall, "cancellation"> {
  readonly text: string;
  readonly alone: (client: RequestClient) => Promise<T>;
  readonly behind: (client: RequestClient) => Promise<T>;
}

/** A connection while somebody has it. */
export interface Borrowed {
  readonly client: RequestClient;
  /** To be called once. */
  readonly giveBack: () => void;
}

/** A connection of a request, and what it is used for. */
export interface Connection {
  readonly source: ClientSource;
  readonly client: RequestClient;
  state: "idle" | "brief" | "held";
  /** The query it was opened or taken for, where others may stand behind that. */
  text: string | undefined;
  /** When it was ready for that; undefined until it is. Milliseconds of the wall clock. */
  readyAt: number | undefined;
  /** It broke, in use or not. */
  dead: boolean;
  readonly closed: { readonly promise: Promise<void>; readonly resolve: () => void };
}

/** Whether a query can expect to share a connection that is opened for another query, or tried by it: one known to be fast, or of the same text. */
export function willBeShared({ source, state, text: other, readyAt }: Connection, text: string): boolean {
  const { clock, paces } = source;
  const isFast = paces.costOf(text) !== undefined;
  if (state !== "brief" || other === undefined || !(isFast || paces.mayTurnOutFast(text))) return false;
  const isPrompt = readyAt === undefined || clock.now() - readyAt <= paces.slowMs;
  return isPrompt && (isFast ? paces.costOf(other) !== undefined : other === text);
}
