/** Something that may never be: a call with another's answer, a fate that is not true, a call without an end. */
export interface CallProblem {
  readonly problem:
    | "another's answer"
    | "a fate that is not true"
    | "not an error of the package's"
    | "an error that no call of its kind has"
    | "does not end"
    | "nobody caught it"
    | "left behind";
  readonly detail: string;
}

/** What its writer was told of an id. */
export interface Told {
  /** `done` where its call resolved. */
  readonly fate: string;
  readonly call: string;
}

/** Whom the table belies: `there` is how often each id stands in it. */
export function untrue(told: ReadonlyMap<number, Told>, there: ReadonlyMap<number, number>): CallProblem[] {
  const problems: CallProblem[] = [];
  const note = (detail: string) => problems.push({ problem: "a fate that is not true", detail });
  for (const [id, { fate, call }] of told) {
    const times = there.get(id) ?? 0;
    if (times > 1) note(`${id} (${call}): ${fate}, and it is there ${times} times`);
    const isTrue = fate === "unknown" || times > 0 === (fate === "done" || fate === "applied");
    if (!isTrue) note(`${id} (${call}): ${fate}, and it is ${times > 0 ? "" : "not "}there`);
  }
  for (const id of there.keys()) if (!told.has(id)) note(`${id}: nobody wrote it`);
  return problems;
}

/** How many writes were told what. */
export function countFates(told: ReadonlyMap<number, Told>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { fate } of told.values()) counts[fate] = (counts[fate] ?? 0) + 1;
  return counts;
}
