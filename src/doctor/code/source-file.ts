import type { ParseResult } from "oxc-parser";

/** A node of an ESTree, as far as the rules look into it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** What a parser of sources gives: the part of oxc-parser that is used. */
export interface Parser {
  readonly parseSync: (
    path: string,
    text: string,
    options?: { readonly preserveParens?: boolean; readonly lang?: "jsx" | "tsx"; readonly sourceType?: "commonjs" },
  ) => Pick<ParseResult, "program" | "errors">;
  readonly visitorKeys: Readonly<Record<string, readonly string[]>>;
}

/** Where a name comes from: `{ module: "pg", name: "Pool" }`; `default` and `*` for what has no name there. */
interface Origin {
  readonly module: string;
  readonly name: string;
}

/** A file that was parsed, ready to be asked. */
export interface SourceFile {
  readonly path: string;
  /** Every node of these types, in the order of the text. */
  all(...types: readonly string[]): readonly Node[];
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
  /** Every module that is imported for its values. */
  readonly modules: readonly string[];
  /** `path:line`. */
  at(node: Node): string;
}

const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === "string";

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
  const all = (...types: readonly string[]): readonly Node[] =>
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

/** The names of `a.b.c`; empty for anything else. */
export function pathOf(node: unknown): readonly string[] {
  const plain = unwrapped(node);
  if (plain?.type === "Identifier") return [String(plain.name)];
  if (plain?.type === "ThisExpression") return ["this"];
  if (plain?.type !== "MemberExpression") return [];
  const last = plain.computed === true ? textOf(plain.property) : String((plain.property as Node).name);
  const before = last === undefined ? [] : pathOf(plain.object);
  return before.length === 0 ? [] : [...before, String(last)];
}

const wrappers = ["TSNonNullExpression", "TSAsExpression", "TSSatisfiesExpression", "ChainExpression", "AwaitExpression"];

/** The expression without what changes nothing of it. */
export function unwrapped(node: unknown): Node | undefined {
  let inner = node;
  while (isNode(inner) && wrappers.includes(inner.type)) inner = inner.expression ?? inner.argument;
  return isNode(inner) ? inner : undefined;
}

/** The text of a literal, or of a template without values. */
export function textOf(node: unknown): string | undefined {
  const plain = unwrapped(node);
  if (plain?.type === "Literal" && typeof plain.value === "string") return plain.value;
  if (plain?.type !== "TemplateLiteral" || (plain.expressions as readonly Node[]).length > 0) return undefined;
  const [quasi] = plain.quasis as readonly { readonly value: { readonly cooked: string } }[];
  return quasi?.value.cooked;
}

/** The name of a property or method, written as a name or as text. */
export function keyOf(node: Node): string | undefined {
  const key = node.key as Node | undefined;
  if (key === undefined || node.computed === true) return undefined;
  return key.type === "Identifier" ? String(key.name) : textOf(key);
}

type All = SourceFile["all"];

function readImports(all: All): { readonly origins: ReadonlyMap<string, Origin>; readonly modules: readonly string[] } {
  const origins = new Map<string, Origin>();
  const modules: string[] = [];
  for (const node of all("ImportDeclaration")) {
    const module = String((node.source as Node).value);
    const specifiers = node.specifiers as readonly Node[];
    const typesAlone = specifiers.length > 0 && specifiers.every(({ importKind }) => importKind === "type");
    if (node.importKind !== "type" && !typesAlone) modules.push(module);
    for (const specifier of specifiers) {
      const name = { ImportDefaultSpecifier: "default", ImportNamespaceSpecifier: "*" }[specifier.type];
      const imported = specifier.imported as Node | undefined;
      origins.set(String((specifier.local as Node).name), { module, name: name ?? String(imported?.name ?? imported?.value) });
    }
  }
  for (const node of all("ExportNamedDeclaration", "ExportAllDeclaration")) {
    if (isNode(node.source) && node.exportKind !== "type") modules.push(String(node.source.value));
  }
  for (const node of all("ImportExpression")) {
    const module = textOf(node.source);
    if (module !== undefined) modules.push(module);
  }
  for (const node of all("TSImportEqualsDeclaration")) {
    const module = textOf((node.moduleReference as Node).expression);
    if (module === undefined || node.importKind === "type") continue;
    modules.push(module);
    origins.set(String((node.id as Node).name), { module, name: "*" });
  }
  for (const node of all("VariableDeclarator")) {
    const init = unwrapped(node.init);
    // const { Pool } = require("pg") in one: require("pg").Pool, (await import("pg")).default, pg.Pool
    if (init?.type === "MemberExpression" && init.computed !== true && (node.id as Node).type === "Identifier") {
      const object = unwrapped(init.object);
      const required = requiredBy(object);
      const from = object?.type === "Identifier" ? origins.get(String(object.name)) : undefined;
      const of = required ?? (from?.name === "*" || from?.name === "default" ? from.module : undefined);
      if (required !== undefined) modules.push(required);
      if (of !== undefined) origins.set(String((node.id as Node).name), { module: of, name: String((init.property as Node).name) });
      continue;
    }
    // import pg from "pg"; const { Pool } = pg;
    const whole = init?.type === "Identifier" ? origins.get(String(init.name)) : undefined;
    const module = whole?.module ?? requiredBy(init);
    if (module === undefined || (whole !== undefined && whole.name !== "default" && whole.name !== "*")) continue;
    if (whole === undefined) modules.push(module);
    const id = node.id as Node;
    if (id.type === "Identifier") origins.set(String(id.name), { module, name: "*" });
    if (id.type !== "ObjectPattern") continue;
    for (const property of id.properties as readonly Node[]) {
      const local = property.value as Node | undefined;
      if (local?.type === "Identifier") origins.set(String(local.name), { module, name: keyOf(property) ?? "*" });
    }
  }
  return { origins, modules };
}

/** The module that `require("…")`, or an awaited `import("…")`, names. */
function requiredBy(init: Node | undefined): string | undefined {
  if (init?.type === "ImportExpression") return textOf(init.source);
  if (init?.type !== "CallExpression" || pathOf(init.callee).join(".") !== "require") return undefined;
  return textOf((init.arguments as readonly unknown[])[0]);
}
