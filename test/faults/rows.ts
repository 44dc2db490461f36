import type { Fault } from "./fault.ts";
import { killed } from "./rows/connection-killed.ts";

/** Every fault of the suite, in the order they are tried. */
export const faults: readonly Fault[] = [...killed];
