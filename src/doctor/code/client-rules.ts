import { argumentsOf, type CodeFound, type FileRule } from "./code-rule.ts";
import { functionsAround, isAtModuleScope, isEdge, isPerRequest, isRoute, isWorker } from "./places.ts";
import { keyOf, type Node, pathOf, type SourceFile, textOf, unwrapped } from "./source-file.ts";

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

const clients = (file: SourceFile) =>
  file.all("NewExpression", "CallExpression").flatMap((node) => {
    const made = madeBy(file, node);
    return made === undefined ? [] : [{ node, made, fromPg: file.origin(node.callee)?.module !== "warmline/pool" }];
  });

const clientAtModuleScope: FileRule = {
  name: "client-at-module-scope",
  costs:
    "In a Worker its socket belongs to the first request, and every later one hangs; in a route one lost connection fails every call for ever.",
  change:
    "const db = createDatabase({ tcp: hyperdrive() }) at module scope in a Worker; createDatabase() elsewhere: both keep nothing that breaks",
  find(file) {
    const worker = isWorker(file);
    if (!worker && !isRoute(file)) return [];
    return clients(file)
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
      : clients(file)
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

const typesOnly = ["TSAsExpression", "TSSatisfiesExpression", "TSNonNullExpression", "AwaitExpression", "ParenthesizedExpression"];

/** The expression with what changes nothing of it around. */
function outermost(file: SourceFile, node: Node): Node {
  let outer = node;
  for (let parent = file.parent(outer); parent !== undefined && typesOnly.includes(parent.type); parent = file.parent(outer))
    outer = parent;
  return outer;
}

function isInside(node: Node, scope: Node | undefined): boolean {
  return scope === undefined || (node.start >= scope.start && node.end <= scope.end);
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

/** Where pools are found: names, and properties of the class. */
function poolsOf(file: SourceFile): ReadonlySet<string> {
  const made = clients(file).filter((one) => one.made === "Pool");
  return new Set(
    made.flatMap(({ node }) => {
      const parent = file.parent(outermost(file, node)) as Node;
      if (parent.type === "PropertyDefinition") return [`this.${keyOf(parent)}`];
      return [pathOf(parent.type === "AssignmentExpression" ? parent.left : parent.id).join(".")].filter((path) => path !== "");
    }),
  );
}

const connectWithoutRelease: FileRule = {
  name: "connect-without-release",
  costs: "The first error in between keeps the client for good: after as many as max, every call waits for its time-out.",
  change: "try { … } finally { client.release(); }; or db.transaction(async (tx) => …), which gives it back by itself",
  find(file) {
    const pools = poolsOf(file);
    return file.all("VariableDeclarator").flatMap((node): CodeFound[] => {
      const call = unwrapped(node.init);
      const [name] = pathOf(node.id);
      if (call?.type !== "CallExpression" || name === undefined || argumentsOf(call).length > 0) return [];
      const path = pathOf(call.callee);
      if (path.at(-1) !== "connect" || !pools.has(path.slice(0, -1).join("."))) return [];
      // a using declaration gives it back by itself
      if (String(file.parent(node)?.kind).endsWith("using")) return [];
      const [scope] = functionsAround(file, node);
      const uses = file.named(name).filter((one) => isInside(one, scope) && one !== node.id);
      if (uses.some((use) => isHandedOn(file, use))) return [];
      const releases = uses.filter((use) => isRelease(file, use));
      if (releases.some((use) => isInFinally(file, use) || functionsAround(file, use)[0] !== scope)) return [];
      if (isOnBothWays(file, releases)) return [];
      return [
        {
          node,
          found: releases.length === 0 ? `${name} is never given back.` : `${name} is not given back when something in between throws.`,
        },
      ];
    });
  },
};

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

/** Rules about where clients are made, and what becomes of them. */
export const clientRules: readonly FileRule[] = [clientAtModuleScope, poolPerRequest, connectWithoutRelease];
