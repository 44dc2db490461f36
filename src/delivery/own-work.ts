import { type WarmlineError, withFate } from "../errors/errors.ts";

/**
 * What an attempt with a callback learned of its own database. What passes through the callback from elsewhere, the error of another database
 * or of an earlier call, is not in it: it says nothing of this database, and nothing is repeated for it.
 */
export interface OwnWork {
  /** What the attempt's own statements failed with. */
  readonly errors: WeakSet<object>;
  /** Whether the server has answered one of them. */
  answered: boolean;
}

/** Nothing has been sent yet. */
export function noWork(): OwnWork {
  return { errors: new WeakSet(), answered: false };
}

/** The failure told of the whole attempt, with a fate of its own; whose it is stays as it was. */
export function toldOfAll(own: OwnWork, error: WarmlineError, fate: WarmlineError["fate"]): WarmlineError {
  const isOwn = own.errors.has(error);
  const told = withFate(error, fate, isOwn);
  if (isOwn) own.errors.add(told);
  return told;
}
