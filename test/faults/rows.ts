import type { Fault } from "./fault.ts";
import { betweenCalls } from "./rows/between-calls.ts";
import { caller } from "./rows/caller.ts";
import { ended } from "./rows/connection-ended.ts";
import { killed } from "./rows/connection-killed.ts";
import { silent } from "./rows/connection-silent.ts";
import { failover } from "./rows/failover.ts";
import { httpAnswers, refusedUpgrades } from "./rows/http-answers.ts";
import { httpConnections } from "./rows/http-connections.ts";
import { tokens } from "./rows/iam-tokens.ts";
import { logins } from "./rows/login.ts";
import { overload } from "./rows/overload.ts";
import { pooler } from "./rows/pooler.ts";
import { away } from "./rows/server-away.ts";
import { timeBounds } from "./rows/time-bounds.ts";
import { timeHandshakes } from "./rows/time-handshakes.ts";
import { timeFreezes, timeShifts } from "./rows/time-shifts.ts";
import { tls } from "./rows/tls.ts";

const connection = [...killed, ...ended, ...betweenCalls, ...silent, ...away, ...pooler, ...failover];
const http = [...httpAnswers, ...refusedUpgrades, ...httpConnections];
const time = [...timeBounds, ...timeHandshakes, ...timeShifts, ...timeFreezes];
const auth = [...logins, ...tokens, ...tls];

/** Every fault of the suite, in the order they are tried. */
export const faults: readonly Fault[] = [...connection, ...http, ...time, ...auth, ...caller, ...overload];
