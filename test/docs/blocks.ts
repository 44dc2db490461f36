import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

/** A block of code of a document. */
export interface Block {
  /** The document's path in the repository. */
  readonly document: string;
  /** Of its first line of code, in the document. */
  readonly line: number;
  readonly language: string;
  /** What stands behind the language: `wrong` for what is wrong on purpose. */
  readonly mark: string;
  readonly code: string;
}

/** The documents a reader comes to, by their paths in the repository. */
export const documents: readonly string[] = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.startsWith(".vitepress"))
    .map((file) => `docs/${file}`)
    .sort(),
];

export const read = (document: string): string => readFileSync(join(root, document), "utf8");

/** Every fence of a document, also one that is indented within a list. */
export function blocksOf(document: string): readonly Block[] {
  const text = read(document);
  return [...text.matchAll(/^( *)```(\S*) ?(.*)\n([\s\S]*?)^\1```$/gm)].map((found) => {
    const [, indent = "", language = "", mark = "", code = ""] = found;
    return {
      document,
      line: text.slice(0, found.index).split("\n").length + 1,
      language,
      mark,
      code: code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    };
  });
}

export const blocks: readonly Block[] = documents.flatMap(blocksOf);
