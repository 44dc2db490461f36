import { createDatabase } from "warmline";
import type { OpenClient } from "../client.ts";
import { BATCH_SIZE, statements, streamed } from "../statements.ts";

export const open: OpenClient = ({ url, max }) => {
  const db = createDatabase({ url, transport: "pool", max });
  return {
    ask: (name, values) => db.query(statements[name].text, values),
    stream(count) {
      const { text, values } = streamed(count);
      return db.stream(text, values, { batchSize: BATCH_SIZE }).batches();
    },
    close: () => db.close(),
  };
};
