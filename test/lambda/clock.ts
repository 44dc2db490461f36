import { randomUUID } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The wall clock of an environment, as far ahead of the machine's as it was told. */
export interface Clock {
  /** The file in which the environment's processes find the shift. */
  readonly path: string;
  /** Milliseconds since 1970, by the environment's clock. */
  now(): number;
  /** Sets it forward. */
  shift(ms: number): void;
  /** It cannot be set any more. Safe to call more than once. */
  close(): undefined;
}

/** Opens a clock that is not ahead; its file is written to `folder`. */
export function openClock(folder: string): Clock {
  const path = join(folder, `clock-${randomUUID()}`);
  const file = openSync(path, "w");
  const shiftMs = new Float64Array(1);
  let isOpen = true;
  const write = () => void writeSync(file, shiftMs, 0, 8, 0);
  write();
  return {
    path,
    now: () => Date.now() + (shiftMs[0] ?? 0),
    shift(ms) {
      shiftMs[0] = (shiftMs[0] ?? 0) + ms;
      write();
    },
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}
