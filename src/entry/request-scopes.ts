import type { RequestContext } from "../database/database.ts";

type RunInScope = <T>(context: RequestContext, work: () => T) => T;

/** How a request becomes a scope in this worker: it is one for all its databases, those over HTTP among them, which have nothing to share. */
export const requestScopes: { run: RunInScope } = { run: (_, work) => work() };
