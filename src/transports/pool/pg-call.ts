import { throwOn } from "../../wire/driver-parser.ts";

/** What pg gives for a query: a result, or one for each of several statements. */
export type PgAnswer = object;

/** pg's callback of a query. */
type Told = (error: unknown, answer?: PgAnswer) => void;

/** What may be asked as pg is. */
export interface Answering {
  /** Undefined where pg has to do it itself, and nothing was done. */
  answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined;
}

/** pg has to do it itself. */
export const NO_ANSWER: unique symbol = Symbol("no answer");

/** Has `asked` answer what a `query` of pg's was given, and gives what that returns: a promise, or nothing beside its callback. */
export function answerAs(asked: Answering, [config, given, last]: readonly unknown[]): unknown {
  const isCalledBack = typeof given === "function";
  const callback = isCalledBack ? given : last;
  if (callback && typeof callback !== "function") return NO_ANSWER;
  const answer = asked.answer(config, isCalledBack ? undefined : given);
  if (answer === undefined) return NO_ANSWER;
  return callback ? tell(answer, callback as Told) : answer;
}

/** Calls back; what that throws is as uncaught as it is from pg. */
function tell(answer: Promise<PgAnswer>, callback: Told): void {
  const call = (...told: Parameters<Told>) => {
    try {
      callback(...told);
    } catch (thrown) {
      throwOn(thrown);
    }
  };
  answer.then(
    (given) => call(undefined, given),
    (error) => call(error),
  );
}
