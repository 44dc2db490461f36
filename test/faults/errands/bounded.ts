import type { DatabaseOptions } from "../../../src/entry/node.ts";
import type { Stage } from "../stage.ts";
import type { Subject, Write } from "../subject.ts";

/** A write that its caller does not wait for as long as it may take. */
export interface BoundedWrite extends Write {
  /** Bounds this call alone, milliseconds. */
  readonly deadlineMs?: number;
  /** In a transaction, whose COMMIT follows. */
  readonly inTransaction?: boolean;
  /** By a client of its own, which has no connection yet. */
  readonly fresh?: boolean;
  /** Behind these, in one request; nobody is told what becomes of them. */
  readonly behind?: readonly Write[];
}

let aborting = new AbortController();

/** What the errand `abort` aborts from now on. */
export function nextSignal(): AbortSignal {
  aborting = new AbortController();
  return aborting.signal;
}

/** Calls that are given up. Bare drivers know neither deadline nor signal: they write as ever. */
export const boundedErrands = {
  async bounded({ subject, call }: Stage, bounded: BoundedWrite): Promise<void> {
    const { deadlineMs, inTransaction = false, fresh, behind = [], ...write } = bounded;
    const bounds = { ...(deadlineMs !== undefined && { deadlineMs }), signal: nextSignal(), inTransaction };
    const writer = fresh ? await subject.again() : subject;
    const given = Promise.withResolvers<unknown>();
    void writer.request(async () => {
      const others = Promise.allSettled(behind.map((other) => writer.write(other)));
      given.resolve(await call([write.id], () => writer.bounded(write, bounds)));
      await others;
    });
    await given.promise;
    // closing waits for a connection that is being opened, which whoever gave up does not
    if (fresh) void close(writer);
  },
  /** Aborts the bounded call that is on its way. */
  async abort(): Promise<void> {
    aborting.abort();
  },
  /** Writes with a client of its own, which has other settings than the contender's. */
  async another({ subject, call }: Stage, { id, options }: { readonly id: string; readonly options?: DatabaseOptions }): Promise<void> {
    const other = await subject.again(options);
    await call([id], () => other.request(() => other.write({ id })));
    await close(other);
  },
  /**
   * Opens a client whose password is a function, which gives one after the other as it is called, and the last for ever. A bare driver that ignores
   * functions is given the first. It stays open until `rotateEnd`.
   */
  async rotating({ subject, call }: Stage, { id, passwords, options }: Rotating): Promise<void> {
    let next = 0;
    const password = () => passwords[Math.min(next++, passwords.length - 1)] as string;
    rotating = await subject.again({ ...options, password: subject.database === undefined ? passwords[0] : password });
    const other = rotating;
    await call([id], () => other.request(() => other.write({ id })));
  },
  /** Writes with the client of `rotating`; fails where the process that had it died meanwhile. */
  async rotated({ call }: Stage, { id }: { readonly id: string }): Promise<void> {
    const other = rotating;
    await call([id], async () => {
      if (other === undefined) throw new Error("The client is gone.");
      await other.request(() => other.write({ id }));
    });
  },
  async rotateEnd(): Promise<void> {
    if (rotating !== undefined) await close(rotating);
    rotating = undefined;
  },
} as const;

interface Rotating {
  readonly id: string;
  readonly passwords: readonly string[];
  readonly options?: DatabaseOptions;
}

let rotating: Subject | undefined;

async function close(subject: Subject): Promise<void> {
  // a client that could not connect may not be able to close either
  await subject.close().catch(() => {});
}
