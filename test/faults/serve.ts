import { type ErrandInput, type ErrandName, errands } from "./errands.ts";
import type { Settled } from "./outcome.ts";
import { createStage, type Stage } from "./stage.ts";
import type { OpenSubject, Subject, SubjectConfig } from "./subject.ts";

/** What a contender's process is asked: to make its client, or to run an errand. It travels as JSON. */
export type Request =
  | { readonly open: SubjectConfig }
  | { readonly [N in ErrandName]: { readonly errand: N; readonly input: ErrandInput<N> } }[ErrandName];

/** What it answers. */
export interface Answer {
  readonly settled: readonly Settled[];
  readonly told?: unknown;
}

/** How a request to a contender's process ended. */
export type Reply = { readonly state: "answered"; readonly answer: Answer } | { readonly state: "hung" | "died" };

/** Serves requests over one client. Rejects when an errand itself is broken, never for what a call came to. */
export function serve(openSubject: OpenSubject): (request: Request) => Promise<Answer> {
  let subject: Subject | undefined;
  return async (request) => {
    if ("open" in request) {
      subject = await openSubject(request.open);
      return { settled: [] };
    }
    if (subject === undefined) throw new Error("There is no client yet.");
    const stage = createStage(subject);
    const run = errands[request.errand] as (stage: Stage, input: unknown) => Promise<unknown>;
    const told = await run(stage, request.input);
    return { settled: stage.settled, told };
  };
}
