import { argumentsOf, type Node, pathOf, textOf, unwrapped } from "./ast.ts";
import { outermost } from "./clients.ts";
import { functionsAround, isInside } from "./places.ts";
import type { SourceFile } from "./source-file.ts";

/** A client that something was asked to connect, and that is not given back, or not always. */
export interface Unreleased {
  /** What it was asked of, by its name in the file. */
  readonly pool: string;
  readonly node: Node;
  readonly found: string;
}

/** Every such client of a file, whatever `connect()` was called on: whether that is a pool is another question. */
export function unreleasedIn(file: SourceFile): readonly Unreleased[] {
  return file.all("VariableDeclarator").flatMap((node): Unreleased[] => {
    const call = unwrapped(node.init);
    const [name] = pathOf(node.id);
    if (call?.type !== "CallExpression" || name === undefined || argumentsOf(call).length > 0) return [];
    const path = pathOf(call.callee);
    if (path.at(-1) !== "connect") return [];
    // a using declaration gives it back by itself
    if (String(file.parent(node)?.kind).endsWith("using")) return [];
    const [scope] = functionsAround(file, node);
    const uses = file.named(name).filter((one) => isInside(one, scope) && one !== node.id);
    if (uses.some((use) => isHandedOn(file, use))) return [];
    const releases = uses.filter((use) => isRelease(file, use));
    if (releases.some((use) => isInFinally(file, use) || functionsAround(file, use)[0] !== scope)) return [];
    if (isOnBothWays(file, releases)) return [];
    const found = releases.length === 0 ? `${name} is never given back.` : `${name} is not given back when something in between throws.`;
    return [{ pool: path.slice(0, -1).join("."), node, found }];
  });
}

const handingOn = ["ReturnStatement", "YieldExpression", "AssignmentExpression", "ArrayExpression", "SpreadElement"];

/** Whether somebody else may give it back, or it is kept to listen. */
function isHandedOn(file: SourceFile, use: Node): boolean {
  let one = outermost(file, use);
  for (
    let parent = file.parent(one);
    parent?.type === "ConditionalExpression" || parent?.type === "LogicalExpression";
    parent = file.parent(one)
  )
    one = outermost(file, parent);
  const parent = file.parent(one);
  const type = parent?.type ?? "";
  if (handingOn.includes(type)) return true;
  if (type === "Property") return parent?.value === one;
  if (type === "ArrowFunctionExpression") return parent?.body === one;
  if (type === "CallExpression" || type === "NewExpression") return argumentsOf(parent as Node).includes(one);
  const call = parent === undefined ? undefined : file.parent(parent);
  return type === "MemberExpression" && pathOf(parent).at(-1) === "on" && textOf(argumentsOf(call as Node)[0]) === "notification";
}

function isRelease(file: SourceFile, use: Node): boolean {
  const parent = file.parent(use);
  return parent?.type === "MemberExpression" && parent.object === use && ["release", "end"].includes(pathOf(parent).at(-1) ?? "");
}

/** Given back behind what may throw, and where it was caught. */
function isOnBothWays(file: SourceFile, releases: readonly Node[]): boolean {
  const caught = releases.filter((use) => file.around(use).some(({ type }) => type === "CatchClause"));
  return caught.length > 0 && caught.length < releases.length;
}

function isInFinally(file: SourceFile, use: Node): boolean {
  const around = [use, ...file.around(use)];
  return around.some((node, at) => {
    const parent = around[at + 1];
    if (parent?.type === "TryStatement") return parent.finalizer === node;
    // promise.finally(() => client.release())
    return (
      parent?.type === "CallExpression" &&
      pathOf(parent.callee).length !== 1 &&
      (parent.callee as Node).type === "MemberExpression" &&
      ((parent.callee as Node).property as Node).name === "finally" &&
      argumentsOf(parent).includes(node)
    );
  });
}
