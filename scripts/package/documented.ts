import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The blocks of code of one language in a document of this repository, as they stand there. */
export async function documented(document: string, language: string): Promise<readonly string[]> {
  const text = await readFile(fileURLToPath(new URL(`../../${document}`, import.meta.url)), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code = ""]) => code);
}
