import { argumentsOf, type CodeFound, type FileRule } from "./code-rule.ts";
import { functionsAround, isAtModuleScope, isPerRequest, isRoute, isWorker } from "./places.ts";
import { type Node, pathOf, type SourceFile, unwrapped } from "./source-file.ts";

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
    isWorker(file)
      ? []
      : clients(file)
          .filter(({ node, made }) => made !== "Client" && !isKept(file, node) && isPerRequest(file, node))
          .map(({ node, made }) => ({ node, found: `${made === "Pool" ? "A new Pool" : "postgres()"} is made for each request.` })),
};

/** Whether it is made once, and found again: assigned to what is there already, or the other side of a `??`. */
function isKept(file: SourceFile, node: Node): boolean {
  return ["AssignmentExpression", "LogicalExpression"].includes(file.parent(node)?.type ?? "");
}

const connectWithoutRelease: FileRule = {
  name: "connect-without-release",
  costs: "The first error in between keeps the client for good: after as many as max, every call waits for its time-out.",
  change: "try { … } finally { client.release(); }; or db.transaction(async (tx) => …), which gives it back by itself",
  find(file) {
    const pools = new Set(
      clients(file)
        .filter(({ made }) => made === "Pool")
        .flatMap(({ node }) => pathOf((file.parent(node) as Node).id)),
    );
    return file.all("VariableDeclarator").flatMap((node): CodeFound[] => {
      const call = unwrapped(node.init);
      const [name] = pathOf(node.id);
      if (call?.type !== "CallExpression" || name === undefined || argumentsOf(call).length > 0) return [];
      const [pool, method, ...more] = pathOf(call.callee);
      if (pool === undefined || !pools.has(pool) || method !== "connect" || more.length > 0) return [];
      const [scope] = functionsAround(file, node);
      const uses = file.all("Identifier").filter((one) => one.name === name && (scope === undefined || file.around(one).includes(scope)));
      if (uses.some((use) => isHandedOn(file, use))) return [];
      const releases = uses.filter((use) => isRelease(file, use));
      if (releases.some((use) => isInFinally(file, use)) || isOnBothWays(file, releases)) return [];
      return [
        {
          node,
          found: releases.length === 0 ? `${name} is never given back.` : `${name} is not given back when something in between throws.`,
        },
      ];
    });
  },
};

/** Whether somebody else may give it back. */
function isHandedOn(file: SourceFile, use: Node): boolean {
  const parent = file.parent(use);
  const type = parent?.type ?? "";
  if (type === "ReturnStatement" || type === "AssignmentExpression" || type === "ArrayExpression" || type === "SpreadElement") return true;
  if (type === "Property") return parent?.value === use;
  return (type === "CallExpression" || type === "NewExpression") && argumentsOf(parent as Node).includes(use);
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
