import { lambdaHandler } from "../../../src/adapters/lambda.ts";
import { createDatabase } from "../../../src/entry/node.ts";

const db = createDatabase();

/** Asks for a table that is not there, or as the event says reads it as a stream. */
export const handler = lambdaHandler(db, async (event: { readonly streams?: boolean }) => {
  if (event.streams) {
    for await (const row of db.stream("select name\nfrom shelf")) return row;
  }
  return await db.query("select name\nfrom shelf");
});
