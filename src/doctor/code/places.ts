import { keyOf, type Node, pathOf, textOf, unwrapped } from "./ast.ts";
import { declaredExportsOf } from "./exports.ts";
import type { SourceFile } from "./source-file.ts";

const functions = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"];

/** Names under which frameworks look for what serves a request. Sources: the documentation of Next.js, AWS Lambda, Workers, Netlify, Remix, SvelteKit. */
const handlerNames = new Set([
  ...["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "handler", "default", "fetch", "scheduled", "queue", "email"],
  ...["loader", "action", "load", "onRequest", "onRequestGet", "onRequestPost", "getServerSideProps", "middleware", "proxy"],
]);
const routeNames = new Set(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]);
const routers = new Set(["get", "post", "put", "patch", "delete", "all", "use"]);

/** The functions around a node, from the inside. */
export function functionsAround(file: SourceFile, node: Node): readonly Node[] {
  return file.around(node).filter(({ type }) => functions.includes(type));
}

/** Whether a node stands in a scope; undefined for the whole file. */
export function isInside(node: Node, scope: Node | undefined): boolean {
  return scope === undefined || (node.start >= scope.start && node.end <= scope.end);
}

/** Whether it runs when the module is loaded. */
export function isAtModuleScope(file: SourceFile, node: Node): boolean {
  return !file.around(node).some(({ type }) => functions.includes(type) || type === "PropertyDefinition");
}

/** Whether it runs for each request. */
export function isPerRequest(file: SourceFile, node: Node): boolean {
  return functionsAround(file, node).some((one) => servesRequests(file, one));
}

function servesRequests(file: SourceFile, one: Node): boolean {
  const parent = file.parent(one);
  if (parent?.type === "CallExpression" && isRouterCall(parent)) return true;
  if (parent?.type === "Property") return handlerNames.has(keyOf(parent) ?? "") && isDefaultExport(file, parent);
  if (parent?.type === "AssignmentExpression") {
    const [first, ...rest] = pathOf(parent.left);
    if (first !== "exports" && first !== "module") return false;
    const last = rest.at(-1) ?? "exports";
    return last === "exports" ? isGivenRequests(file, one) : handlerNames.has(last);
  }
  // handler = wrap(async (event) => …)
  const outer = parent?.type === "CallExpression" ? file.parent(parent) : parent;
  if (outer?.type === "ExportDefaultDeclaration") return isGivenRequests(file, one);
  const declared = outer?.type === "VariableDeclarator" ? outer : one.type === "FunctionDeclaration" ? one : undefined;
  return exportNames(file, pathOf(declared?.id)[0]).some((name) =>
    name === "default" ? isGivenRequests(file, one) : handlerNames.has(name),
  );
}

function isRouterCall(call: Node): boolean {
  const [path] = call.arguments as readonly Node[];
  const method = pathOf(call.callee);
  return method.length > 1 && routers.has(method.at(-1) as string) && textOf(path)?.startsWith("/") === true;
}

/** Whether a default export is called with a request, or renders a page: others make an application, or are a script. */
function isGivenRequests(file: SourceFile, one: Node): boolean {
  const [first] = one.params as readonly Node[];
  if (/^_?(req|request|event|evt|ctx|context|c)$/.test(pathOf(first)[0] ?? "")) return true;
  return pathOf(one.id)[0] === "handler" || /(^|\/)(app|pages)\/.*\.[jt]sx$/.test(file.path);
}

/** The names under which a module exports what it declares under another, or the same. */
function exportNames(file: SourceFile, local: string | undefined): readonly string[] {
  return local === undefined ? [] : declaredExportsOf(file).flatMap((one) => ("local" in one && one.local === local ? [one.name] : []));
}

function isDefaultExport(file: SourceFile, property: Node): boolean {
  return file.around(property).some(({ type }) => type === "ExportDefaultDeclaration");
}

/**
 * Whether a module is a Worker's: its default export is an object that fetches, and listens on no port as Bun's would; or it asks for what Workers
 * alone have.
 */
export function isWorker(file: SourceFile): boolean {
  if (file.modules.includes("cloudflare:workers")) return true;
  const named = declaredExportsOf(file).flatMap((one) => ("local" in one && one.name === "default" ? file.declared(one.local) : []));
  const given = file.all("ExportDefaultDeclaration").map(({ declaration }) => declaration);
  return [...named.map(({ init }) => init), ...given].some((one) => {
    const object = unwrapped(one);
    const keys = object?.type === "ObjectExpression" ? (object.properties as readonly Node[]).map(keyOf) : [];
    return keys.includes("fetch") && !keys.includes("port") && !keys.includes("hostname");
  });
}

/** Whether a module exports what a router calls by the method's name. */
export function isRoute(file: SourceFile): boolean {
  return declaredExportsOf(file).some((one) => "local" in one && routeNames.has(one.name));
}

/** Whether a module asks to run where there are no sockets: Next.js' `runtime`, by itself or in `config`. */
export function isEdge(file: SourceFile): boolean {
  const atEdge = (value: unknown) => ["edge", "experimental-edge"].includes(textOf(value) ?? "");
  return file.all("ExportNamedDeclaration").some(({ declaration }) => {
    const { declarations = [] } = (declaration ?? {}) as { readonly declarations?: readonly Node[] };
    return declarations.some(({ id, init }) => {
      const [name] = pathOf(id);
      if (name === "runtime") return atEdge(init);
      const object = unwrapped(init);
      if (name !== "config" || object?.type !== "ObjectExpression") return false;
      return (object.properties as readonly Node[]).some((property) => keyOf(property) === "runtime" && atEdge(property.value));
    });
  });
}

/** The number that a module exports under this name. */
export function exportedNumber(file: SourceFile, name: string): { readonly node: Node; readonly value: number } | undefined {
  for (const node of file.all("VariableDeclarator")) {
    const value = unwrapped(node.init)?.value;
    if (pathOf(node.id)[0] === name && typeof value === "number" && file.around(node)[1]?.type === "ExportNamedDeclaration")
      return { node, value };
  }
  return undefined;
}
