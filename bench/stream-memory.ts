import { createDatabase } from "../src/entry/node.ts";
import { streamed } from "./statements.ts";

/** What a stream of a million rows takes, bytes. */
export interface StreamMemory {
  /** The most of the process that was resident in memory while it was read, over what was before it. */
  readonly overStartBytes: number;
}

const ROWS = 1_000_000;
/** Readings are so many rows apart. */
const APART = 5_000;

/** Reads the rows of a stream, one by one, and looks at the process meanwhile. */
export async function streamMemory(url: string): Promise<StreamMemory> {
  await using db = createDatabase({ url, transport: "pool", max: 1, deadlineMs: 0, name: "stream memory" });
  const { text, values } = streamed(ROWS);
  // one batch: what the code itself takes was there before
  for await (const _ of db.stream(text, values)) break;
  const before = process.memoryUsage.rss();
  let most = before;
  let seen = 0;
  for await (const _ of db.stream(text, values)) {
    if (++seen % APART === 0) most = Math.max(most, process.memoryUsage.rss());
  }
  if (seen !== ROWS) throw new Error(`${seen} rows came.`);
  return { overStartBytes: most - before };
}
