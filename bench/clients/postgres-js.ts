import postgres from "postgres";
import type { OpenClient } from "../client.ts";
import { BATCH_SIZE, type StatementName, statements, streamed, templateOf } from "../statements.ts";

export const open: OpenClient = ({ url, max }) => {
  const sql = postgres(url, { max, onnotice() {} });
  const templates = new Map(Object.entries(statements).map(([name, { text }]) => [name as StatementName, templateOf(text)]));
  return {
    ask: (name, values) => sql(templates.get(name) as TemplateStringsArray, ...(values as string[])),
    stream(count) {
      const { text, values } = streamed(count);
      return sql.unsafe(text, [...values]).cursor(BATCH_SIZE);
    },
    close: () => sql.end(),
  };
};
