import type { Fault } from "./fault.ts";
import { killed } from "./rows/connection-killed.ts";
import { httpAnswers, refusedUpgrades } from "./rows/http-answers.ts";
import { httpConnections } from "./rows/http-connections.ts";
import { logins, tokens } from "./rows/login.ts";
import { timeBounds } from "./rows/time-bounds.ts";
import { timeFreezes, timeShifts } from "./rows/time-shifts.ts";
import { tls } from "./rows/tls.ts";

/** Every fault of the suite, in the order they are tried. */
export const faults: readonly Fault[] = [
  ...killed,
  ...httpAnswers,
  ...refusedUpgrades,
  ...httpConnections,
  ...timeBounds,
  ...timeShifts,
  ...timeFreezes,
  ...logins,
  ...tokens,
  ...tls,
];
