import type { Fault } from "./fault.ts";
import { betweenCalls } from "./rows/between-calls.ts";
import { caller } from "./rows/caller.ts";
import { ended } from "./rows/connection-ended.ts";
import { killed } from "./rows/connection-killed.ts";
import { silent } from "./rows/connection-silent.ts";
import { dsqlRows } from "./rows/dsql.ts";
import { failover } from "./rows/failover.ts";
import { httpAnswers, refusedUpgrades } from "./rows/http-answers.ts";
import { httpConnections } from "./rows/http-connections.ts";
import { tokens } from "./rows/iam-tokens.ts";
import { logins } from "./rows/login.ts";
import { overload } from "./rows/overload.ts";
import { pooler } from "./rows/pooler.ts";
import { away } from "./rows/server-away.ts";
import { streams } from "./rows/streams.ts";
import { timeBounds } from "./rows/time-bounds.ts";
import { timeHandshakes } from "./rows/time-handshakes.ts";
import { timeFreezes, timeShifts } from "./rows/time-shifts.ts";
import { tls } from "./rows/tls.ts";
import { truthCommits } from "./rows/truth-commits.ts";
import { truthFarewells } from "./rows/truth-farewells.ts";
import { truthGivenUp } from "./rows/truth-given-up.ts";
import { truthSessions } from "./rows/truth-sessions.ts";
import { truthWords } from "./rows/truth-words.ts";
import { wallsCallbacks } from "./rows/walls-callbacks.ts";
import { wallsEndings } from "./rows/walls-endings.ts";
import { wallsEndpoint } from "./rows/walls-endpoint.ts";
import { wallsForeign } from "./rows/walls-foreign.ts";
import { wallsHandles } from "./rows/walls-handles.ts";
import { wallsState } from "./rows/walls-state.ts";

const connection = [...killed, ...ended, ...betweenCalls, ...silent, ...away, ...pooler, ...failover];
const http = [...httpAnswers, ...refusedUpgrades, ...httpConnections];
const time = [...timeBounds, ...timeHandshakes, ...timeShifts, ...timeFreezes];
const auth = [...logins, ...tokens, ...tls];
const truth = [...truthCommits, ...truthGivenUp, ...truthSessions, ...truthWords, ...truthFarewells];
const walls = [...wallsHandles, ...wallsCallbacks, ...wallsForeign, ...wallsEndings, ...wallsState, ...wallsEndpoint];

/** Every fault of the suite, in the order they are tried. */
export const faults: readonly Fault[] = [
  ...connection,
  ...http,
  ...time,
  ...auth,
  ...caller,
  ...truth,
  ...walls,
  ...streams,
  ...overload,
  ...dsqlRows,
];
