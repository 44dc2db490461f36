import type { Statement } from "../transports/transport.ts";
import type { StreamOptions } from "./options.ts";
import type { RowBatches } from "./row-batches.ts";
import { type RowStream, rowStream } from "./row-stream.ts";
import type { Row, Sql } from "./sql.ts";
import { toStatement } from "./statement.ts";

/** What a stream inside a transaction or session can be told; deadline and signal are the outer call's. */
export type InnerStreamOptions = Pick<StreamOptions, "rowMode" | "types" | "batchSize">;

/** What gives rows as they come. */
export interface Streams<Options = InnerStreamOptions> {
  /**
   * The rows of one statement as they come, `batchSize` at a time: for more of them than are to be held in memory.
   * @throws UsageError for what is no statement, an option that is none, and a text that is refused anywhere
   */
  stream<R = Row>(statement: Sql<R>, options?: Options): RowStream<R>;
  /** The same for a text with `$1`, `$2` …, and its values. */
  stream<R = Row>(text: string, values?: readonly unknown[], options?: Options): RowStream<R>;
}

/** `stream` over a function that gives the rows of a statement in batches. */
export function makeStreams<Options>(open: (statement: Statement, options: Options | undefined) => RowBatches): Streams<Options> {
  return {
    stream<R>(source: unknown, second?: unknown, third?: unknown) {
      const text = typeof source === "string";
      const statement = toStatement(source, text ? second : undefined);
      return rowStream<R>(open(statement, (text ? third : second) as Options | undefined));
    },
  };
}
