import { argumentsOf, type Node, pathOf } from "./ast.ts";
import { clientsOf, outermost } from "./clients.ts";
import type { FileRule } from "./code-rule.ts";
import { functionsAround, isAtModuleScope, isEdge, isInside, isPerRequest, isRoute, isWorker } from "./places.ts";
import type { SourceFile } from "./source-file.ts";

const clientAtModuleScope: FileRule = {
  name: "client-at-module-scope",
  costs:
    "In a Worker its socket belongs to the first request, and every later one hangs; in a route one lost connection fails every call for ever.",
  change:
    "const db = createDatabase({ tcp: hyperdrive() }) at module scope in a Worker; createDatabase() elsewhere: both keep nothing that breaks",
  find(file) {
    const worker = isWorker(file);
    if (!worker && !isRoute(file)) return [];
    return clientsOf(file)
      .filter(({ node, made, fromPg }) => fromPg && (worker || made === "Client") && isAtModuleScope(file, node))
      .map(({ node, made }) => ({ node, found: `${made} is made once, for all requests of a ${worker ? "Worker" : "route"}.` }));
  },
};

const poolPerRequest: FileRule = {
  name: "pool-per-request",
  costs: "Each request pays for a login, 6 times a query and more, and leaves its connection behind until the pool's idle timer ends it.",
  change: "make it once, at module scope: const db = createDatabase()",
  find: (file) =>
    isWorker(file) || isEdge(file)
      ? []
      : clientsOf(file)
          .filter(({ node, made }) => made !== "Client" && !isKept(file, node) && !isOfBindings(file, node) && isPerRequest(file, node))
          .map(({ node, made }) => ({ node, found: `${made === "Pool" ? "A new Pool" : "postgres()"} is made for each request.` })),
};

/** Whether it is made once, and found again, or belongs to whoever asked for it: assigned, the other side of a `??`, put into a registry, returned. */
function isKept(file: SourceFile, node: Node): boolean {
  const made = outermost(file, node);
  const parent = file.parent(made);
  if (isStored(file, made, parent)) return true;
  const name = parent?.type === "VariableDeclarator" ? pathOf(parent.id)[0] : undefined;
  if (name === undefined) return false;
  const [scope] = functionsAround(file, node);
  return file.named(name).some((use) => isInside(use, scope) && use !== parent?.id && isStored(file, use, file.parent(use)));
}

const registers = ["set", "decorate", "provide", "register"];

function isStored(file: SourceFile, one: Node, parent: Node | undefined): boolean {
  switch (parent?.type) {
    case "AssignmentExpression":
      return parent.right === one;
    case "LogicalExpression":
    case "ReturnStatement":
      return true;
    case "ArrowFunctionExpression":
      return parent.body === one;
    case "Property":
      return parent.value === one && file.around(parent)[1]?.type === "ReturnStatement";
    case "CallExpression":
      return argumentsOf(parent).includes(one) && registers.includes(pathOf(parent.callee).at(-1) ?? "");
    default:
      return false;
  }
}

/** Whether it is made of what a Worker is handed with each request, and with nothing else: `env`, or `c.env`. */
function isOfBindings(file: SourceFile, node: Node): boolean {
  return file.within(node, "MemberExpression").some((member) => {
    const path = pathOf(member);
    const at = path.indexOf("env");
    if (at === 0) return file.origin({ type: "Identifier", name: "env" }) === undefined && file.declared("env").length === 0;
    return at > 0 && !["process", "Bun", "Deno"].includes(path[0] as string);
  });
}

/** Rules about where clients are made. */
export const clientRules: readonly FileRule[] = [clientAtModuleScope, poolPerRequest];
