import pg from "pg";
import QueryStream from "pg-query-stream";
import type { OpenClient } from "../client.ts";
import { BATCH_SIZE, statements, streamed } from "../statements.ts";

export const open: OpenClient = async ({ url }) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    ask: (name, values) => client.query({ text: statements[name].text, values: [...values] }),
    stream(count) {
      const { text, values } = streamed(count);
      return client.query(new QueryStream(text, [...values], { batchSize: BATCH_SIZE, highWaterMark: BATCH_SIZE }));
    },
    close: () => client.end(),
  };
};
