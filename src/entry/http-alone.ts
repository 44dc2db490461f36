import { type Available, overHttp } from "../decide/transport-choice.ts";
import { statusFailure } from "../transports/http-failure.ts";
import type { MakeTransport } from "./create.ts";
import { makeHttp } from "./make-http.ts";

/** What `warmline/http` has. */
export const httpAlone: Available = { choices: [overHttp], webSocket: false, alone: true };

/** HTTP in one file, which is small enough to be read whole. */
export const makeHttpAlone: MakeTransport = (input) => makeHttp(input, { statusReader: () => statusFailure });
