import { setImmediate } from "node:timers/promises";
import type { Stage } from "../stage.ts";
import { databaseOf } from "./walls.ts";

/** What the next user of a connection finds. */
export interface Left {
  /** Of the backends that served both. */
  readonly pids: readonly number[];
  readonly found: readonly boolean[];
}

interface Closing {
  readonly first: string;
  readonly second: string;
  readonly late: string;
}

const insert = "insert into fault_writes (id) values ($1)";

/** Code of the caller's that does not end, and what it leaves behind. */
export const endingErrands = {
  /** Writes with a password function that never answers, and closes. Gives how long both took, milliseconds. */
  async hungPassword(
    { subject, call }: Stage,
    { id, deadlineMs }: { readonly id: string; readonly deadlineMs: number },
  ): Promise<{ readonly endedMs: number; readonly closedMs: number }> {
    const other = await subject.again({ password: () => new Promise(() => {}), deadlineMs });
    const { ms: endedMs } = await call([id], () => other.request(() => other.write({ id })));
    const startedAt = performance.now();
    await other.close();
    return { endedMs, closedMs: performance.now() - startedAt };
  },
  /** A statement that goes on when it is cancelled, in a callback that would go on, too. */
  async outlives({ subject, call }: Stage, { deadlineMs }: { readonly deadlineMs: number }): Promise<void> {
    await call([], () =>
      databaseOf(subject).transaction(
        async (tx) => {
          await tx.query("select fault_outlive()").catch(() => {});
          await new Promise(() => {});
        },
        { deadlineMs },
      ),
    );
  },
  /** Closes a database in the callback of its own transaction, and writes on in it; then by itself. */
  async closesInside({ subject, call }: Stage, { first, second, late }: Closing): Promise<void> {
    const other = await subject.again();
    const database = databaseOf(other);
    await call([first, second], () =>
      other.request(() =>
        database.transaction(async (tx) => {
          await tx.query(insert, [first]);
          await database.close();
          await tx.query(insert, [second]);
        }),
      ),
    );
    await call([late], () => other.request(() => other.write({ id: late })));
  },
  /** Sessions that are aborted at once, or some turns of the event loop later. Gives how many were. */
  async abortedSessions({ subject }: Stage, { name, times }: { readonly name: string; readonly times: number }): Promise<number> {
    const other = await subject.again({ applicationName: name, max: times });
    const database = databaseOf(other);
    let aborted = 0;
    await Promise.all(
      Array.from({ length: times }, async (_, turns) => {
        const controller = new AbortController();
        const call = other.request(() =>
          database
            .session((session) => session.query("select pg_sleep(5)"), { signal: controller.signal })
            .catch((error) => {
              if (error.code === "ABORTED") aborted++;
            }),
        );
        for (let turn = 0; turn < turns; turn++) await setImmediate();
        controller.abort();
        await call;
      }),
    );
    await other.close();
    return aborted;
  },
  /** Sets state in sessions, one after the other, and asks the next user of the connection what it finds. */
  async leavesState(
    { subject }: Stage,
    { left }: { readonly left: readonly { readonly set: string; readonly found: string }[] },
  ): Promise<Left> {
    const database = databaseOf(subject);
    const pids: number[] = [];
    const found: boolean[] = [];
    await subject.request(async () => {
      for (const { set, found: question } of left) {
        const pid = "select pg_backend_pid() as pid";
        const setter = await database.session(async (session) => {
          await session.query(set);
          return (await session.query<{ pid: number }>(pid)).rows[0]?.pid;
        });
        const [finder, there] = await database.session(async (session) => {
          const row = (await session.query<readonly boolean[]>(question, [], { rowMode: "array" })).rows[0];
          return [(await session.query<{ pid: number }>(pid)).rows[0]?.pid, row?.[0] === true] as const;
        });
        if (setter !== undefined && setter === finder) pids.push(setter);
        found.push(there);
      }
    });
    return { pids, found };
  },
} as const;
