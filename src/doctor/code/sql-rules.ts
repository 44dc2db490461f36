import { argumentsOf, keyOf, type Node, pathOf, textOf, unwrapped } from "./ast.ts";
import type { FileRule } from "./code-rule.ts";
import { functionsAround } from "./places.ts";
import type { SourceFile } from "./source-file.ts";
import { assignedTo, isWritten, valuesOf } from "./written.ts";

/** Methods whose first argument is a statement, of pg, postgres.js, Neon's driver, Prisma, Drizzle and Knex. */
const takesSql = new Set(["query", "script", "unsafe", "raw", "$queryRawUnsafe", "$executeRawUnsafe", "execute"]);
/** Commands that take parameters, and stand so in no other language: others have to be put together. Source: PostgreSQL documentation, PREPARE. */
const takesParameters =
  /^(?:\s|--.*\n|\/\*[^*]*\*\/|\()*(select\s[\s\S]*(\sfrom\s|\()|insert\s+into\s|update\s+\S+\s+([\w"]+\s+)?set\s|delete\s+from\s|with\s+(recursive\s+)?\S+\s+as\s|merge\s+into\s|values\s*\()/i;

/** Statements that take parameters, and are put together from values that others give. */
export const stringBuiltSql: FileRule = {
  name: "string-built-sql",
  costs: "Whoever writes the value writes the statement; and each text is parsed and planned anew, for it never comes again.",
  change: "the tag db.sql, or $1 and an array: their values travel as parameters; sql.id(name) for names",
  find: (file) =>
    file.all("CallExpression").flatMap((node) => {
      const callee = unwrapped(node.callee);
      const method = callee?.type === "MemberExpression" ? (pathOf({ ...callee, object: { type: "ThisExpression" } }).at(-1) ?? "") : "";
      const built = takesSql.has(method) ? statementOf(file, argumentsOf(node)[0]) : undefined;
      if (built === undefined || !takesParameters.test(built.text) || built.values.every((value) => isWritten(file, value))) return [];
      return [{ node, found: `${method}() is given a statement that is put together from values.` }];
    }),
};

/** What a statement is put together from: its text, with a word in place of each value. */
interface Built {
  readonly text: string;
  readonly values: readonly unknown[];
}

function statementOf(file: SourceFile, given: unknown): Built | undefined {
  const plain = unwrapped(given);
  if (plain?.type === "ObjectExpression") {
    const text = (plain.properties as readonly Node[]).find((property) => ["text", "sql"].includes(keyOf(property) ?? ""));
    return text === undefined ? undefined : statementOf(file, text.value);
  }
  if (plain?.type !== "Identifier") return pieces(plain);
  const name = String(plain.name);
  const [declared, ...more] = file.declared(name);
  // of several that have the name nobody knows here which one it is
  if (declared === undefined || more.length > 0 || functionsAround(file, declared)[0] !== functionsAround(file, plain)[0]) return undefined;
  const begun = pieces(unwrapped(declared.init));
  return begun && { ...begun, values: [...begun.values, ...assignedTo(file, name)] };
}

function pieces(node: Node | undefined): Built | undefined {
  const written = textOf(node);
  if (written !== undefined) return { text: written, values: [] };
  if (node?.type === "TemplateLiteral") {
    const quasis = node.quasis as readonly { readonly value: { readonly raw: string; readonly cooked: string | null } }[];
    return { text: quasis.map(({ value }) => value.cooked ?? value.raw).join("x"), values: valuesOf(node) };
  }
  if (node?.type === "CallExpression") {
    const callee = unwrapped(node.callee);
    if (callee?.type !== "MemberExpression" || (callee.property as Node).name !== "concat") return undefined;
    const text = textOf(callee.object);
    return text === undefined ? undefined : { text: `${text}x`, values: argumentsOf(node) };
  }
  return node?.type === "BinaryExpression" && node.operator === "+" ? joined(node) : undefined;
}

function joined(node: Node): Built {
  const operands: Node[] = [];
  let left: Node = node;
  for (; left.type === "BinaryExpression" && left.operator === "+"; left = unwrapped(left.left) as Node) operands.push(left.right as Node);
  operands.push(left);
  const parts = operands
    .reverse()
    .map((one) => (one.type === "BinaryExpression" ? undefined : pieces(one)) ?? { text: "x", values: [one] });
  return { text: parts.map(({ text }) => text).join(""), values: parts.flatMap(({ values }) => values) };
}
