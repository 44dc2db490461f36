import type { Exchange } from "../wire/exchange.ts";

/** How long a statement took. */
export interface Pace {
  readonly text: string;
  /** From when the server had nothing to answer before it, milliseconds; Infinity for one that was given up. */
  readonly durationMs: number;
  /** Whether that holds a round trip: nothing was on its way when it was written. */
  readonly isFirst: boolean;
}

/** That of an exchange that has ended. */
export function paceOf({ text, headAt, isFirst, abandoned }: Exchange): Pace {
  return { text, isFirst, durationMs: abandoned || headAt === 0 ? Number.POSITIVE_INFINITY : performance.now() - headAt };
}
