import { OwnError, type Stage } from "../stage.ts";
import type { Held } from "../subject.ts";

interface Two {
  readonly first: string;
  readonly second: string;
}

/** What callers do wrong, or ask too much of. */
export const callerErrands = {
  /** Takes every connection of a pool and forgets them while one more caller wants one; gives them back at the end. */
  async forget({ subject, call }: Stage, { id, connections }: { readonly id: string; readonly connections: number }): Promise<void> {
    const other = await subject.again();
    const held: Held[] = [];
    for (let taken = 0; taken < connections; taken++) {
      const one = await other.hold?.();
      if (one !== undefined) held.push(one);
    }
    await call([id], async () => {
      const one = await other.hold?.();
      one?.release();
      await other.write({ id });
    });
    for (const one of held) one.release();
    await call([], () => other.close());
  },
  /** Asks the database itself from inside a transaction that holds its only connection. */
  async nested({ subject, call }: Stage, { first, second }: Two): Promise<void> {
    await call([first, `${first}-last`], () =>
      subject.transaction([{ id: first }, { id: `${first}-last` }], async () => {
        await subject.write({ id: second });
      }),
    );
  },
  /** Throws inside the callback, after a write; then writes on. */
  async thrown({ subject, call }: Stage, { first, second }: Two): Promise<void> {
    await call([first, `${first}-last`], () =>
      subject.transaction([{ id: first }, { id: `${first}-last` }], () => {
        throw new OwnError("The caller's own.");
      }),
    );
    await call([second], () => subject.write({ id: second }));
  },
  /** Waits neither for a transaction's write nor for one by itself; then writes on. */
  async unawaited({ subject, call }: Stage, { first, second }: Two): Promise<void> {
    await call([first], () => subject.unawaited({ id: first }));
    await call([second], async () => {
      void subject.write({ id: `${second}-forgotten` });
      await subject.write({ id: second });
    });
  },
  /** Closes a client of its own while writes are on their way and more wait; tells whether a write after that is refused. */
  async closing({ subject, call }: Stage, { ids, late }: { readonly ids: readonly string[]; readonly late: string }): Promise<boolean> {
    const other = await subject.again();
    const writes = ids.map((id) => call([id], () => other.request(() => other.write({ id }))));
    await Promise.all([...writes, call([], () => other.close())]);
    const { ok } = await call([late], () => other.request(() => other.write({ id: late })));
    return !ok;
  },
  /** Many writes at the same moment of one request, over one connection. */
  async crowd({ subject, call }: Stage, { ids }: { readonly ids: readonly string[] }): Promise<void> {
    const other = await subject.again({ max: 1, deadlineMs: 0, acquireTimeoutMs: 120_000 });
    await other.request(() => Promise.all(ids.map((id) => call([id], () => other.write({ id })))));
    await call([], () => other.close());
  },
} as const;
