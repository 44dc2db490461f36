import type { Node, SourceFile } from "./source-file.ts";

/** The sources that were parsed, for rules that look across files. */
export interface Project {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** The parsed file that an import of `from` leads to; undefined for packages, and for what was not parsed. */
  resolve(from: SourceFile, module: string): SourceFile | undefined;
}

/** What a rule found at a node. */
export interface CodeFound {
  readonly node: Node;
  readonly found: string;
}

/** A rule over the syntax tree of one file, with the others at hand. */
export interface CodeRule {
  readonly name: string;
  readonly costs: string;
  readonly change: string;
  find(file: SourceFile, project: Project): readonly CodeFound[];
}

/** The property of an object literal that is an argument of a call or of `new`. */
export function argumentsOf(node: Node): readonly Node[] {
  return (node.arguments ?? []) as readonly Node[];
}
