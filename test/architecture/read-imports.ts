import { readFileSync } from "node:fs";
import { parseSync } from "vite";

/** One module asking for another. */
export interface Import {
  /** As written: `../errors/errors.ts`, `pg`, `node:fs`; {@link COMPUTED} where the target is not a string. */
  readonly specifier: string;
  /** Whether only types are asked for, so that nothing is left of it at run time. */
  readonly typeOnly: boolean;
}

/** The specifier of an import whose target only running the program tells. No rule allows it. */
export const COMPUTED = "(computed)";

/** Every import of a TypeScript file. */
export function readImports(path: string): readonly Import[] {
  return findImports(readFileSync(path, "utf8"));
}

/**
 * Every import in a TypeScript source: static and dynamic, re-exports, and types taken by `import("…")`.
 *
 * @throws Error for a source that does not parse
 */
export function findImports(source: string): readonly Import[] {
  const { program, errors } = parseSync("module.ts", source);
  if (errors[0] !== undefined) throw new Error(`Not TypeScript: ${errors[0].message}`);
  const found: Import[] = [];
  visit(program, (node) => {
    const imported = readImport(node);
    if (imported !== undefined) found.push(imported);
  });
  return found;
}

/** Calls `look` for every node of a syntax tree that has a type. */
export function visit(value: unknown, look: (node: SyntaxNode) => void): void {
  if (typeof value !== "object" || value === null) return;
  if ("type" in value && typeof value.type === "string") look(value as SyntaxNode);
  for (const child of Object.values(value)) visit(child, look);
}

/** A node of an ESTree. */
export interface SyntaxNode {
  readonly type: string;
  readonly source?: { readonly value?: unknown } | null;
  readonly importKind?: "type" | "value";
  readonly exportKind?: "type" | "value";
}

function readImport(node: SyntaxNode): Import | undefined {
  switch (node.type) {
    case "ImportDeclaration":
      return named(node, node.importKind === "type");
    case "ExportAllDeclaration":
      return named(node, node.exportKind === "type");
    case "ExportNamedDeclaration":
      return node.source == null ? undefined : named(node, node.exportKind === "type");
    case "ImportExpression":
      return named(node, false);
    case "TSImportType":
      return named(node, true);
    case "TSExternalModuleReference":
      return { specifier: COMPUTED, typeOnly: false };
    default:
      return undefined;
  }
}

function named(node: SyntaxNode, typeOnly: boolean): Import {
  const specifier = node.source?.value;
  return { specifier: typeof specifier === "string" ? specifier : COMPUTED, typeOnly };
}
