import { setTimeout as delay } from "node:timers/promises";
import type { Stage } from "../stage.ts";
import type { Said } from "../subject.ts";
import { nextSignal } from "./bounded.ts";

/** Statements in words, which do what plain writes cannot: they carry the writes `ids`. */
interface Carrying {
  readonly ids: readonly string[];
}

interface Steps extends Carrying {
  /** Statements, one after the other; a number is a time in which the callback does something else, milliseconds. */
  readonly steps: readonly (string | number)[];
  readonly deadlineMs?: number;
}

/** What is said in words. The errand `abort` ends a statement. */
export const saidErrands = {
  async statement({ subject, call }: Stage, { ids, ...said }: Said & Carrying): Promise<void> {
    const options = { ...said.options, signal: nextSignal() };
    await call(ids, () => subject.say({ ...said, options }));
  },
  async script({ subject, call }: Stage, { ids, ...said }: Omit<Said, "values"> & Carrying): Promise<void> {
    await call(ids, async () => subject.script?.(said));
  },
  /** A session of warmline's. */
  async session({ subject, call }: Stage, { ids, steps, ...limits }: Steps): Promise<void> {
    await call(ids, async () => subject.database?.session((session) => each(steps, (text) => session.query(text)), limits));
  },
  /** A transaction of warmline's that may be run again. */
  async steps({ subject, call }: Stage, { ids, steps, retries = 0 }: Steps & { readonly retries?: number }): Promise<void> {
    await call(ids, async () => subject.database?.transaction((tx) => each(steps, (text) => tx.query(text)), { retries }));
  },
  /** Scripts that would copy from their client, and others' queries beside and behind them. Gives how many of those do not get their own rows. */
  async copied({ subject, call }: Stage, { times }: { readonly times: number }): Promise<number> {
    const { database } = subject;
    if (database === undefined) return 0;
    let strange = 0;
    await subject.request(async () => {
      for (let time = 0; time < times; time++) {
        const copying = call([], () => database.script("copy fault_writes from stdin"));
        const asked = [1, 2, 3].map(async (number) => {
          const [row] = await database.sql<{ number: number }>`select ${time * 10 + number}::int as number`.catch(() => []);
          if (row?.number !== time * 10 + number) strange++;
        });
        await Promise.all([copying, ...asked]);
      }
    });
    return strange;
  },
} as const;

async function each(steps: Steps["steps"], say: (text: string) => Promise<unknown>): Promise<void> {
  for (const step of steps) await (typeof step === "number" ? delay(step) : say(step));
}
