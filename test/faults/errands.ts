import { boundedErrands } from "./errands/bounded.ts";
import { callerErrands } from "./errands/caller.ts";
import { endingErrands } from "./errands/endings.ts";
import { loadErrands } from "./errands/load.ts";
import { overloadErrands } from "./errands/overload.ts";
import { pausedErrands } from "./errands/paused.ts";
import { resolverErrands } from "./errands/resolver.ts";
import { saidErrands } from "./errands/said.ts";
import { streamErrands } from "./errands/streams.ts";
import { timeErrands } from "./errands/time.ts";
import { wallsErrands } from "./errands/walls.ts";
import { writeErrands } from "./errands/writes.ts";
import type { Stage } from "./stage.ts";

/** What a contender's process can be sent to do. What they return, JSON, is the outcome's `told`. */
export const errands = {
  ...writeErrands,
  ...loadErrands,
  ...overloadErrands,
  ...callerErrands,
  ...resolverErrands,
  ...boundedErrands,
  ...pausedErrands,
  ...timeErrands,
  ...saidErrands,
  ...wallsErrands,
  ...endingErrands,
  ...streamErrands,
} as const;

/** The name of one. */
export type ErrandName = keyof typeof errands;

/** What it takes; it travels as JSON. */
export type ErrandInput<N extends ErrandName> = (typeof errands)[N] extends (stage: Stage, input: infer Input) => unknown ? Input : never;
