import { setTimeout as delay } from "node:timers/promises";
import type { Stage } from "../stage.ts";

/** A steady stream of writes. */
export interface Load {
  /** What the ids begin with; a number follows. */
  readonly prefix: string;
  /** Callers that write one after the other. */
  readonly callers: number;
  readonly forMs: number;
}

/** After a failure a caller waits so long, milliseconds: a client that is refused at once must not spin. */
const BREATH_MS = 20;

export const loadErrands = {
  async load({ subject, call }: Stage, { prefix, callers, forMs }: Load): Promise<void> {
    const endAt = Date.now() + forMs;
    let count = 0;
    const write = async () => {
      while (Date.now() < endAt) {
        const id = `${prefix}-${++count}`;
        const { ok } = await call([id], () => subject.write({ id }));
        if (!ok) await delay(BREATH_MS);
      }
    };
    await Promise.all(Array.from({ length: callers }, write));
  },
} as const;
