import { statementTexts } from "../syntax/statements.ts";

/** What runs the statements of a text as one transaction: a database, a view of one, or what is held on a connection. */
export interface Runner {
  script?(text: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  batch(statements: readonly { readonly text: string }[]): Promise<unknown>;
}

/** A semicolon that something follows. */
const MAY_BE_SEVERAL = /;\s*\S/;

/**
 * Runs a text of several statements that nothing is bound to, as pg does for the ORMs' own drivers, in one transaction unless it has its own; nobody
 * is given rows. Resolves with false, and has sent nothing, where the text is one statement.
 */
export async function runSeveral(
  over: Runner,
  { text, values, signal }: { readonly text: string; readonly values: readonly unknown[]; readonly signal?: AbortSignal | undefined },
): Promise<boolean> {
  if (values.length > 0 || !MAY_BE_SEVERAL.test(text)) return false;
  const texts = statementTexts(text);
  if (texts.length < 2) return false;
  if (over.script) await over.script(text, { signal });
  else await over.batch(texts.map((one) => ({ text: one })));
  return true;
}
