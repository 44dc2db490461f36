/** Messages of an answer that drivers hand to nobody. */
const steps = [
  "parseComplete",
  "bindComplete",
  "noData",
  "copyOutResponse",
  "copyDone",
  "closeComplete",
  "parameterDescription",
  "replicationStart",
] as const;

/** One of the messages that drivers hand to nobody. */
export type Step = (typeof steps)[number];

const known: ReadonlySet<string> = new Set(steps);

/** Whether an event is one of them. */
export function isStep(event: string): event is Step {
  return known.has(event);
}

/** What the answer to a statement has come to. Whoever sent Parse, Bind, Describe and Execute gets their answers in this order. */
export type Progress = "nothing" | "parsed" | "bound" | "rows" | "no rows" | "copying" | "copy refused";

/** Where CommandComplete may come. */
export const endings: ReadonlySet<Progress> = new Set(["rows", "no rows", "copying"]);
