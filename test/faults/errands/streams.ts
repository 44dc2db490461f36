import { setTimeout as delay } from "node:timers/promises";
import { OwnError, type Stage } from "../stage.ts";
import { nextSignal } from "./bounded.ts";

/** A stream that carries a write, and how it is read. */
interface Streamed {
  readonly id: string;
  readonly rows: number;
  readonly batchSize: number;
  /** What its reader does at a row, counted from 1: who stops reads on when the call has ended, who pauses in a while. Default: reads on. */
  readonly at?: readonly [row: number, what: "breaks" | "throws" | "stops" | "pauses"];
  readonly within?: "transaction";
  readonly idempotent?: boolean;
  readonly deadlineMs?: number;
}

/** In this time something may befall the stream. */
const PAUSE_MS = 600;

/** Writes once, and gives so many rows. */
const text = "with written as (insert into fault_writes (id) values ($1)) select n from generate_series(1, $2::int) n";

/** Streams of warmline's. */
export const streamErrands = {
  /** Gives how many rows were read. The errand `abort` ends it. */
  async streamed({ subject, call }: Stage, { id, rows, batchSize, at, within, ...limits }: Streamed): Promise<number> {
    let seen = 0;
    const signal = nextSignal();
    const { database } = subject;
    if (database === undefined) return seen;
    const read = async (stream: AsyncIterable<unknown>) => {
      const iterator = stream[Symbol.asyncIterator]();
      for (;;) {
        const { done } = await iterator.next();
        if (done) return;
        if (++seen !== at?.[0]) continue;
        if (at[1] === "pauses") await delay(PAUSE_MS);
        else if (at[1] === "stops") while (database.stats().running > 0) await delay(10);
        else {
          await iterator.return?.();
          if (at[1] === "throws") throw new OwnError();
          return;
        }
      }
    };
    await call([id], () =>
      within === undefined
        ? read(database.stream(text, [id, rows], { batchSize, signal, ...limits }))
        : database.transaction((tx) => read(tx.stream(text, [id, rows], { batchSize })), { signal, ...limits }),
    );
    return seen;
  },
} as const;
