import { type Answer, type Request, serve } from "./serve.ts";
import type { OpenSubject, SubjectConfig } from "./subject.ts";

/** What a function of the suite is invoked with. */
export interface FaultEvent {
  /** An environment may be new at any time: it is told where its database is by each event. */
  readonly config: SubjectConfig | undefined;
  readonly request: Request;
}

/** The handler of a function over one client, which is kept between invocations. */
export function createHandler(openSubject: OpenSubject): (event: FaultEvent) => Promise<Answer> {
  const answer = serve(openSubject);
  let opened: string | undefined;
  return async ({ config, request }) => {
    const wanted = JSON.stringify(config);
    if (config !== undefined && wanted !== opened) await answer({ open: config });
    opened = wanted;
    return await answer(request);
  };
}
