/** Messages of an answer that drivers hand to nobody. */
export const steps = [
  "parseComplete",
  "bindComplete",
  "noData",
  "copyOutResponse",
  "copyDone",
  "closeComplete",
  "parameterDescription",
  "replicationStart",
] as const;

/** One of {@link steps}. */
export type Step = (typeof steps)[number];

/** What the answer to a statement has come to. Whoever sent Parse, Bind, Describe and Execute gets their answers in this order. */
export type Progress = "nothing" | "parsed" | "bound" | "rows" | "no rows" | "copying" | "copy refused";

/** Where CommandComplete may come. */
export const endings: ReadonlySet<Progress> = new Set(["rows", "no rows", "copying"]);
