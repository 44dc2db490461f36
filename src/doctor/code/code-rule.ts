import type { CodePlace } from "../evidence.ts";
import type { Node } from "./ast.ts";
import type { FileLinks } from "./links.ts";
import type { Project } from "./project.ts";
import type { SourceFile } from "./source-file.ts";

/** What a rule found at a node. */
interface CodeFound {
  readonly node: Node;
  readonly found: string;
}

interface RuleText {
  readonly name: string;
  readonly costs: string;
  readonly change: string;
}

/** A rule over the syntax tree of one file. */
export interface FileRule extends RuleText {
  find(file: SourceFile): readonly CodeFound[];
}

/** A rule over what files have to do with each other, when all were parsed: their trees are gone by then. */
export interface ProjectRule extends RuleText {
  conclude(file: FileLinks, project: Project): readonly Omit<CodePlace, "rule">[];
}
