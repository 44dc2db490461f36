import { statementTexts } from "../syntax/statements.ts";

/** What runs the statements of a text as one transaction: a database, a view of one, or what is held on a connection. */
export interface Runner {
  script?(text: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  batch(statements: readonly { readonly text: string }[]): Promise<unknown>;
}

/** A text of several statements. */
export interface Several {
  readonly text: string;
  readonly texts: readonly string[];
}

/** A semicolon that something follows. */
const MAY_BE_SEVERAL = /;\s*\S/;

/** The statements of a text that nothing is bound to; undefined where it is one. */
export function severalOf(text: string, values: readonly unknown[]): Several | undefined {
  if (values.length > 0 || !MAY_BE_SEVERAL.test(text)) return undefined;
  const texts = statementTexts(text);
  return texts.length > 1 ? { text, texts } : undefined;
}

/** Runs a text of several statements as pg does for the ORMs' own drivers, in one transaction unless it has its own; nobody is given rows. */
export async function runSeveral(over: Runner, { text, texts }: Several, signal?: AbortSignal): Promise<void> {
  if (over.script) await over.script(text, { signal });
  else await over.batch(texts.map((one) => ({ text: one })));
}
