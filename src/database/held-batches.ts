import { showReader } from "../errors/caller.ts";
import { isWarmlineError } from "../errors/errors.ts";
import type { Result } from "../transports/transport.ts";
import type { RowBatches } from "./row-batches.ts";

/** Hands a batch to the reader. Resolves with whether it wants the next. */
export type Give = (batch: Result) => Promise<boolean>;

/**
 * RowBatches that a call gives, which holds a connection meanwhile: `begin` starts the call when the first is asked for, and settles when all of it
 * has ended. What it rejects with is told to whoever asks next; to one who leaves only where `tellsLeaver` says so.
 */
export function heldBatches(begin: (give: Give) => Promise<unknown>, tellsLeaver: () => boolean): Omit<RowBatches, "isEnded"> {
  let asked: PromiseWithResolvers<Result | undefined> | undefined;
  /** Lets the call go on, where it waits for the reader. */
  let goOn: ((wants: boolean) => void) | undefined;
  let call: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  let isLeft = false;

  const give: Give = (batch) =>
    new Promise((resolve) => {
      goOn = resolve;
      asked?.resolve(batch);
      asked = undefined;
      if (isLeft) resolve(false);
    });
  const end = () => {
    goOn = undefined;
    asked?.resolve(undefined);
    asked = undefined;
  };
  const fail = (error: unknown) => {
    goOn = undefined;
    if (asked === undefined) failure = { error };
    asked?.reject(error);
    asked = undefined;
  };
  /** Throws what nobody has been told yet. */
  const tell = () => {
    if (failure === undefined) return;
    const { error } = failure;
    failure = undefined;
    throw isWarmlineError(error) ? showReader(error, tell) : error;
  };

  async function next(): Promise<Result | undefined> {
    tell();
    if (isLeft || (call !== undefined && goOn === undefined)) return undefined;
    asked = Promise.withResolvers();
    const { promise } = asked;
    const proceed = goOn;
    goOn = undefined;
    if (call === undefined) call = begin(give).then(end, fail);
    else proceed?.(true);
    try {
      return await promise;
    } catch (error) {
      throw isWarmlineError(error) ? showReader(error, next) : error;
    }
  }

  return {
    next,
    async leave() {
      isLeft = true;
      goOn?.(false);
      await call;
      if (tellsLeaver()) tell();
    },
  };
}
