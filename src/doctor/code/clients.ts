import { keyOf, type Node, pathOf } from "./ast.ts";
import type { SourceFile } from "./source-file.ts";

/** Modules with pg's `Pool` and `Client`. */
const likePg = new Set(["pg", "@neondatabase/serverless", "pg-native"]);

/** What a `new`, or a call, makes: `Pool`, `Client`, or `postgres` of postgres.js. */
export function madeBy(file: SourceFile, node: Node): "Pool" | "Client" | "postgres" | undefined {
  const origin = file.origin(node.callee);
  if (origin === undefined) return undefined;
  if (node.type === "CallExpression")
    return origin.module === "postgres" && ["default", "*"].includes(origin.name) ? "postgres" : undefined;
  if (likePg.has(origin.module) && (origin.name === "Pool" || origin.name === "Client")) return origin.name;
  return origin.module === "warmline/pool" && origin.name === "WarmPool" ? "Pool" : undefined;
}

/** Every client and pool that a file makes. */
export const clientsOf = (file: SourceFile) =>
  file.all("NewExpression", "CallExpression").flatMap((node) => {
    const made = madeBy(file, node);
    return made === undefined ? [] : [{ node, made, fromPg: file.origin(node.callee)?.module !== "warmline/pool" }];
  });

const typesOnly = ["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "AwaitExpression", "ParenthesizedExpression"];

/** The expression with what changes nothing of it around. */
export function outermost(file: SourceFile, node: Node): Node {
  let outer = node;
  for (let parent = file.parent(outer); parent !== undefined && typesOnly.includes(parent.type); parent = file.parent(outer))
    outer = parent;
  return outer;
}

/**
 * The names under which what an expression gives is found in its file: variables, members of objects (`db.pool`), properties of the class
 * (`this.pool`), `module.exports`, and `default` for what is exported as it is.
 */
export function namesOf(file: SourceFile, node: Node): readonly string[] {
  const names: string[] = [];
  let member = "";
  for (let one = outermost(file, node), parent = file.parent(one); parent !== undefined; parent = file.parent(one)) {
    const name = nameGivenBy(parent, one);
    if (name !== undefined && name !== "") names.push(name + member);
    if (parent.type === "Property") member = `.${keyOf(parent)}${member}`;
    else if (!givingOn.includes(parent.type)) break;
    one = outermost(file, parent);
  }
  return names;
}

/** What gives the value of a part of it. */
const givingOn = ["LogicalExpression", "ConditionalExpression", "AssignmentExpression", "ObjectExpression"];

function nameGivenBy(parent: Node, one: Node): string | undefined {
  switch (parent.type) {
    case "VariableDeclarator":
      return pathOf(parent.id).join(".");
    case "AssignmentExpression":
      return parent.right === one ? pathOf(parent.left).join(".") : undefined;
    case "PropertyDefinition":
      return `this.${keyOf(parent)}`;
    case "ExportDefaultDeclaration":
      return "default";
    default:
      return undefined;
  }
}
