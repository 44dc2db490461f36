import type { Fault } from "./fault.ts";
import { caller } from "./rows/caller.ts";
import { ended } from "./rows/connection-ended.ts";
import { killed } from "./rows/connection-killed.ts";
import { silent } from "./rows/connection-silent.ts";
import { failover } from "./rows/failover.ts";
import { overload } from "./rows/overload.ts";
import { pooler } from "./rows/pooler.ts";
import { away } from "./rows/server-away.ts";

/** Every fault of the suite, in the order they are tried. */
export const faults: readonly Fault[] = [...killed, ...ended, ...silent, ...away, ...pooler, ...failover, ...caller, ...overload];
