/** What the server sent is no answer to what was written. A connection ends with it as its error. */
export class OutOfStepError extends Error {
  override readonly name = "OutOfStepError";
  readonly outOfStep = true;
}

/** Whether an error is an {@link OutOfStepError}, of whichever copy of the package: copies share pools. */
export function isOutOfStep(failure: unknown): boolean {
  return failure instanceof Error && (failure as Partial<OutOfStepError>).outOfStep === true;
}
