/** A node of an ESTree, as far as the rules look into it. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

/** Every node of these types, in the order of the text. */
export type NodesOf = (...types: readonly string[]) => readonly Node[];

/** Whether a value of a node's is a node itself. */
export const isNode = (value: unknown): value is Node => typeof (value as Node | null)?.type === "string";

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

/** What a call, or `new`, is given. */
export function argumentsOf(node: Node): readonly Node[] {
  return (node.arguments ?? []) as readonly Node[];
}
