/** What is asked for by `--only start` although its name begins otherwise: a query over HTTP is the last of what the start's table limits. */
const ALSO = "SQL over HTTP";

/** Whether a row is of the table that `--only start` prints. */
export const isOfStart = (name: string) => name.startsWith("start") || name.startsWith(ALSO);
