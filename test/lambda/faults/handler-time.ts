import { lambdaHandler } from "../../../src/adapters/lambda.ts";
import { createDatabase, isWarmlineError } from "../../../src/entry/node.ts";

/** What a round asks of the handler. */
export interface TimeEvent {
  readonly texts: readonly string[];
  /** Begins to connect, and waits for nobody. */
  readonly warms?: boolean;
}

const db = createDatabase(JSON.parse(process.env.DATABASE_OPTIONS ?? "{}"));

/** Sends the statements at once, and answers `answered`, or the codes and fates of those that failed. */
export const handler = lambdaHandler(db, async ({ texts, warms }: TimeEvent): Promise<readonly string[]> => {
  if (warms) db.warmUp().catch(() => {});
  return Promise.all(
    texts.map((text) =>
      db.query(text).then(
        () => "answered",
        (error) => (isWarmlineError(error) ? `${error.code} ${error.fate}` : String(error)),
      ),
    ),
  );
});
