import type { Stage } from "../stage.ts";
import type { Write } from "../subject.ts";

/** The plain calls. */
export const writeErrands = {
  async write({ subject, call }: Stage, write: Write): Promise<void> {
    await call([write.id], () => subject.write(write));
  },
  async transaction({ subject, call }: Stage, { writes }: { readonly writes: readonly Write[] }): Promise<void> {
    await call(
      writes.map(({ id }) => id),
      () => subject.transaction(writes),
    );
  },
  async read({ subject, call }: Stage, _: object): Promise<void> {
    await call([], () => subject.read());
  },
  async close({ subject, call }: Stage, _: object): Promise<void> {
    await call([], () => subject.close());
  },
} as const;
