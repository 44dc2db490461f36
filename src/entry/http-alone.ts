import { type Available, overHttp } from "../decide/transport-choice.ts";

/** What `warmline/http` has. */
export const httpAlone: Available = { choices: [overHttp], webSocket: false, alone: true };
