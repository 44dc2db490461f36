import { argumentsOf, keyOf, type Node, pathOf, unwrapped } from "./ast.ts";
import { functionsAround } from "./places.ts";
import type { SourceFile } from "./source-file.ts";

/** What quotes a name or a value, or makes a number or a place of it. */
const safe = /^(quote|escape|ident|literal|format|placeholder|Number$|parseInt$|parseFloat$|BigInt$)/i;
/** Methods that give what their object was made of, and of what they are given. */
const keeping = ["join", "slice", "concat", "filter", "trim", "toUpperCase", "toLowerCase", "sort", "reverse", "flat", "repeat", "at"];
const calledWithElements = ["map", "flatMap", "forEach", "filter"];
const functions = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];
/** What is a constant by its name, wherever it was declared. */
const isNameOfConstant = (name: string) => /^[A-Z][A-Z\d_]+$/.test(name);

/** What is known of the expressions of a file: names made of names are looked at once, also where they go round. */
const known = new WeakMap<SourceFile, Map<Node, boolean>>();

/** Whether all that an expression may be made of is written in this file: text, numbers, places of parameters; or was quoted. */
export function isWritten(file: SourceFile, node: unknown): boolean {
  const plain = unwrapped(node);
  if (plain === undefined) return true;
  const judged = known.get(file) ?? new Map<Node, boolean>();
  known.set(file, judged);
  const before = judged.get(plain);
  if (before !== undefined) return before;
  // who comes back to it meanwhile adds nothing
  judged.set(plain, true);
  const written = isMadeOfWritten(file, plain);
  judged.set(plain, written);
  return written;
}

function isMadeOfWritten(file: SourceFile, plain: Node): boolean {
  const inner = (one: unknown) => isWritten(file, one);
  switch (plain.type) {
    case "Literal":
    case "UnaryExpression":
    case "UpdateExpression":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return true;
    case "TemplateLiteral":
      return valuesOf(plain).every(inner);
    case "ConditionalExpression":
      return inner(plain.consequent) && inner(plain.alternate);
    case "LogicalExpression":
      return (plain.operator === "&&" || inner(plain.left)) && inner(plain.right);
    case "BinaryExpression":
      return plain.operator !== "+" || (inner(plain.left) && inner(plain.right));
    case "SpreadElement":
      return inner(plain.argument);
    case "ArrayExpression":
      return (plain.elements as readonly unknown[]).every(inner);
    case "ObjectExpression":
      return (plain.properties as readonly Node[]).every((property) => inner(property.value ?? property.argument));
    case "CallExpression":
      return isWrittenCall(file, plain, inner);
    case "MemberExpression":
      return isWrittenMember(file, plain, inner);
    case "Identifier":
      return isWrittenName(file, plain, inner);
    default:
      return false;
  }
}

type Inner = (node: unknown) => boolean;

/** The values of a template, but for numbers of parameters: `$${index}`. */
export function valuesOf(template: Node): readonly Node[] {
  const quasis = template.quasis as readonly { readonly value: { readonly raw: string } }[];
  return (template.expressions as readonly Node[]).filter((_value, at) => quasis[at]?.value.raw.endsWith("$") !== true);
}

/** What a function gives back. */
function resultsOf(file: SourceFile, made: Node): readonly unknown[] {
  const body = made.body as Node | null;
  if (body?.type !== "BlockStatement") return [body];
  return file
    .within(made, "ReturnStatement")
    .filter((one) => functionsAround(file, one)[0] === made)
    .map(({ argument }) => argument);
}

function isWrittenCall(file: SourceFile, call: Node, inner: Inner): boolean {
  const callee = unwrapped(call.callee);
  const given = argumentsOf(call);
  if (callee?.type === "Identifier") {
    const name = String(callee.name);
    if (safe.test(name)) return true;
    const made = [
      ...file.declared(name).map(({ init }) => unwrapped(init)),
      ...file.all("FunctionDeclaration").filter(({ id }) => pathOf(id)[0] === name),
    ];
    return made.length > 0 && made.every((one) => one !== undefined && functions.includes(one.type) && resultsOf(file, one).every(inner));
  }
  if (callee?.type !== "MemberExpression" || callee.computed === true) return false;
  const method = String((callee.property as Node).name);
  const callbacks = given.filter(({ type }) => functions.includes(type));
  if (safe.test(method) || method === "toFixed") return true;
  if (["Object", "Array"].includes(pathOf(callee.object).join("."))) {
    return method === "from" && callbacks.length > 0
      ? callbacks.every((one) => resultsOf(file, one).every(inner))
      : given.every((one) => inner(one));
  }
  if (method === "map" || method === "flatMap") return callbacks.length === 1 && resultsOf(file, callbacks[0] as Node).every(inner);
  return keeping.includes(method) && inner(callee.object) && given.every(inner);
}

function isWrittenMember(file: SourceFile, member: Node, inner: Inner): boolean {
  const name = member.computed === true ? "" : String((member.property as Node).name);
  if (isNameOfConstant(name)) return pathOf(member)[0] !== "process" && pathOf(member)[1] !== "env";
  if (["length", "size"].includes(name)) return true;
  const base = unwrapped(member.object);
  if (base?.type === "Identifier") {
    if (file.all("TSEnumDeclaration").some(({ id }) => pathOf(id)[0] === base.name)) return true;
    const made = file.declared(String(base.name)).map(({ init }) => unwrapped(init)?.type ?? "");
    if (made.length > 0 && made.every((type) => ["ObjectExpression", "ArrayExpression"].includes(type))) return inner(base);
  }
  const kept = file.all("PropertyDefinition").filter((one) => keyOf(one) === name && isNode(one.value));
  const set = file.all("AssignmentExpression").filter(({ left }) => pathOf(left).length > 1 && pathOf(left).at(-1) === name);
  return kept.length > 0 && [...kept.map(({ value }) => value), ...set.map(({ right }) => right)].every(inner);
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null;

function isWrittenName(file: SourceFile, use: Node, inner: Inner): boolean {
  const name = String(use.name);
  if (isNameOfConstant(name) || name === "undefined") return true;
  for (const around of functionsAround(file, use)) {
    const at = (around.params as readonly Node[]).findIndex((one) => file.within(one, "Identifier").some((id) => id.name === name));
    if (at >= 0) return isElement(file, around, at, inner);
  }
  const declared = file.declared(name);
  return declared.length > 0 && [...declared.map((one) => initialOf(file, one)), ...assignedTo(file, name)].every(inner);
}

/** Whether a callback's argument is an element of what is written, or its index. */
function isElement(file: SourceFile, callback: Node, at: number, inner: Inner): boolean {
  const call = file.parent(callback);
  const callee = call?.type === "CallExpression" ? unwrapped(call.callee) : undefined;
  if (callee?.type !== "MemberExpression") return false;
  const method = String((callee.property as Node).name);
  if (at === 1) return calledWithElements.includes(method) || method === "from";
  return at === 0 && calledWithElements.includes(method) && inner(callee.object);
}

/** What a name begins with; of a loop, what it goes over. */
function initialOf(file: SourceFile, declared: Node): unknown {
  const loop = file.around(declared)[1];
  if (loop?.type === "ForOfStatement" || loop?.type === "ForInStatement")
    return isWithin(declared, loop.left as Node) ? loop.right : declared.init;
  return declared.init;
}

const isWithin = (node: Node, outer: Node) => node.start >= outer.start && node.end <= outer.end;

/** What else a name is given later: by `=`, `+=` or `push`. */
export function assignedTo(file: SourceFile, name: string): readonly unknown[] {
  return file.named(name).flatMap((use): readonly unknown[] => {
    const parent = file.parent(use);
    if (parent?.type === "AssignmentExpression" && parent.left === use) return [parent.right];
    if (parent?.type !== "MemberExpression" || parent.object !== use || !["push", "unshift"].includes(pathOf(parent)[1] ?? "")) return [];
    const call = file.parent(parent);
    return call?.type === "CallExpression" && call.callee === parent ? argumentsOf(call) : [];
  });
}
