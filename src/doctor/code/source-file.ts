import type { ParseResult } from "oxc-parser";
import { isNode, type Node, type NodesOf, pathOf } from "./ast.ts";
import { type Imports, type Origin, readImports } from "./imports.ts";

/** What a parser of sources gives: the part of oxc-parser that is used. */
export interface Parser {
  readonly parseSync: (
    path: string,
    text: string,
    options?: { readonly preserveParens?: boolean; readonly lang?: "jsx" | "tsx"; readonly sourceType?: "commonjs" },
  ) => Pick<ParseResult, "program" | "errors">;
  readonly visitorKeys: Readonly<Record<string, readonly string[]>>;
}

/** A file that was parsed, ready to be asked. */
export interface SourceFile extends Imports {
  readonly path: string;
  readonly all: NodesOf;
  /** Every node of a type that stands inside of another. */
  within(outer: Node, type: string): readonly Node[];
  /** Every place where a name stands. */
  named(name: string): readonly Node[];
  /** Every declaration of a variable with this name. */
  declared(name: string): readonly Node[];
  parent(node: Node): Node | undefined;
  /** The nodes around it, from the inside. */
  around(node: Node): readonly Node[];
  /** Where a name, or `module.Name`, was imported from. */
  origin(node: unknown): Origin | undefined;
  /** `path:line`. */
  at(node: Node): string;
}

/** Parses; undefined for what does not parse. */
export function parseSource(path: string, text: string, { parseSync, visitorKeys }: Parser): SourceFile | undefined {
  const program = parse(path, text, parseSync);
  if (program === undefined) return undefined;
  const byType = new Map<string, Node[]>();
  const parents = new Map<Node, Node>();
  const pending: Node[] = [program as unknown as Node];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const same = byType.get(node.type);
    if (same === undefined) byType.set(node.type, [node]);
    else same.push(node);
    for (const key of visitorKeys[node.type] ?? []) {
      for (const child of [node[key]].flat()) {
        if (!isNode(child)) continue;
        parents.set(child, node);
        pending.push(child);
      }
    }
  }
  const inOrder = (one: Node, other: Node) => one.start - other.start;
  for (const nodes of byType.values()) nodes.sort(inOrder);
  const all: NodesOf = (...types) =>
    types.length === 1 ? (byType.get(types[0] as string) ?? []) : types.flatMap((type) => byType.get(type) ?? []).sort(inOrder);
  const { origins, modules } = readImports(all);
  const named = Map.groupBy(all("Identifier"), ({ name }) => String(name));
  const declared = Map.groupBy(all("VariableDeclarator"), ({ id }) => pathOf(id)[0] ?? "");
  const breaks = [...text.matchAll(/\n/g)].map(({ index }) => index);
  return {
    path,
    all,
    within(outer, type) {
      const nodes = all(type);
      const from = firstFrom(nodes.length, (at) => (nodes[at] as Node).start >= outer.start);
      const to = firstFrom(nodes.length, (at) => (nodes[at] as Node).start >= outer.end);
      return nodes.slice(from, to);
    },
    named: (name) => named.get(name) ?? [],
    declared: (name) => declared.get(name) ?? [],
    parent: (node) => parents.get(node),
    around(node) {
      const found: Node[] = [];
      for (let parent = parents.get(node); parent !== undefined; parent = parents.get(parent)) found.push(parent);
      return found;
    },
    origin(node) {
      const [first, ...rest] = pathOf(node);
      const known = first === undefined ? undefined : origins.get(first);
      if (known === undefined || rest.length === 0) return known;
      return known.name === "*" || known.name === "default" ? { module: known.module, name: rest.at(-1) as string } : undefined;
    },
    origins,
    modules,
    at: (node) => `${path}:${firstFrom(breaks.length, (at) => (breaks[at] as number) >= node.start) + 1}`,
  };
}

/** As its name says, and what is called `.js` also as JSX, as CommonJS, whose module may return, and with types. */
function parse(path: string, text: string, parseSync: Parser["parseSync"]): ParseResult["program"] | undefined {
  const others = /\.c?js$/.test(path) ? ([{ lang: "jsx" }, { lang: "jsx", sourceType: "commonjs" }, { lang: "tsx" }] as const) : [];
  for (const options of [{}, ...others]) {
    const { program, errors } = parseSync(path, text, { preserveParens: false, ...options });
    if (!errors.some(({ severity }) => severity === "Error")) return program;
  }
  return undefined;
}

/** The first of so many in order for which something holds, found by halves. */
function firstFrom(length: number, holds: (at: number) => boolean): number {
  let low = 0;
  for (let high = length; low < high; ) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
