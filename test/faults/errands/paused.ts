import { setImmediate } from "node:timers/promises";
import type { Stage } from "../stage.ts";

let reached = Promise.withResolvers<void>();
let pause = Promise.withResolvers<void>();

/** A request that does something else between two of its calls. */
export const pausedErrands = {
  /** Two writes of one request, and a pause between them, which is told by `untilPaused` and ended by `goOn`. */
  async paused({ subject, call }: Stage, { first, second }: { readonly first: string; readonly second: string }): Promise<void> {
    pause = Promise.withResolvers();
    reached = Promise.withResolvers();
    await subject.request(async () => {
      await call([first], () => subject.write({ id: first }));
      reached.resolve();
      await pause.promise;
      await call([second], () => subject.write({ id: second }));
    });
  },
  untilPaused: () => reached.promise,
  /** Ends the pause, when what has arrived at the sockets meanwhile was seen. */
  async goOn(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) await setImmediate();
    pause.resolve();
  },
} as const;
