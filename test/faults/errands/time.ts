import { sql } from "../../../src/entry/node.ts";
import type { Stage } from "../stage.ts";

const now = Date.now;

/** Kinds of calls that begin on a connection. */
export const callKinds = ["query", "readOnly", "batch", "transaction", "session"] as const;

interface BlockedCall {
  readonly id: string;
  readonly forMs: number;
  readonly kind: (typeof callKinds)[number];
}

/** What happens to a process's time. */
export const timeErrands = {
  /** Sets the wall clock so far ahead of the machine's, or behind; gives what it says. */
  async clock(_: Stage, { shiftMs }: { readonly shiftMs: number }): Promise<number> {
    Date.now = shiftMs === 0 ? now : () => now() + shiftMs;
    return Date.now();
  },
  /** What the wall clock says. */
  async now(): Promise<number> {
    return Date.now();
  },
  /** Blocks the event loop, and writes before anything else has a turn. Gives how long it was blocked, milliseconds. */
  async blocked({ subject, call }: Stage, { id, forMs }: { readonly id: string; readonly forMs: number }): Promise<number> {
    const blockedMs = block(forMs);
    await call([id], () => subject.write({ id }));
    return blockedMs;
  },
  /** Uses a connection, blocks the event loop, and calls before anything else has a turn. Gives when it was blocked, by the wall clock. */
  async blockedBefore({ subject, call }: Stage, { id, forMs, kind }: BlockedCall): Promise<{ readonly from: number; readonly to: number }> {
    await subject.read();
    const from = Date.now();
    block(forMs);
    const to = Date.now();
    const { database } = subject;
    const statement = sql`insert into fault_writes (id) values (${id})`;
    const ids = kind === "readOnly" ? [] : [id];
    await call(ids, async () => {
      if (database === undefined) return await subject.write({ id });
      if (kind === "query") await database.query(statement);
      else if (kind === "readOnly") await database.query("select 1", [], { readOnly: true });
      else if (kind === "batch") await database.batch([statement]);
      else if (kind === "transaction") await database.transaction((tx) => tx.query(statement));
      else await database.session((session) => session.query(statement));
    });
    return { from, to };
  },
  /** Sends a write, and blocks the event loop while it is on its way. Gives how long it was blocked, milliseconds. */
  async blockedInFlight({ subject, call }: Stage, { id, forMs }: { readonly id: string; readonly forMs: number }): Promise<number> {
    const writing = call([id], () => subject.write({ id }));
    // the statement leaves in the turns that follow
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    const blockedMs = block(forMs);
    await writing;
    return blockedMs;
  },
} as const;

function block(forMs: number): number {
  const startedAt = performance.now();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
  return performance.now() - startedAt;
}
