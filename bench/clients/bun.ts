import type { OpenClient } from "../client.ts";
import { type StatementName, statements, templateOf } from "../statements.ts";

interface BunSql {
  (strings: TemplateStringsArray, ...values: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}
declare const Bun: { readonly SQL: new (url: string, options: { readonly max: number }) => BunSql };

/** Bun's own client, in native code: under Bun alone. */
export const open: OpenClient = ({ url, max }) => {
  const sql = new Bun.SQL(url, { max });
  const templates = new Map(Object.entries(statements).map(([name, { text }]) => [name as StatementName, templateOf(text)]));
  return {
    ask: (name, values) => sql(templates.get(name) as TemplateStringsArray, ...values),
    close: () => sql.close(),
  };
};
