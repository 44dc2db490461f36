import { keyOf, type Node, pathOf, type SourceFile, textOf, unwrapped } from "./source-file.ts";

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
  if (one.type === "FunctionDeclaration" && parent?.type.startsWith("Export")) {
    return parent.type === "ExportDefaultDeclaration" || handlerNames.has(String((one.id as Node | null)?.name));
  }
  if (parent?.type === "ExportDefaultDeclaration") return true;
  if (parent?.type === "VariableDeclarator") {
    const declared = file.around(parent)[1];
    return declared?.type === "ExportNamedDeclaration" && handlerNames.has(pathOf(parent.id)[0] ?? "");
  }
  if (parent?.type === "Property") return handlerNames.has(keyOf(parent) ?? "") && isDefaultExport(file, parent);
  if (parent?.type === "AssignmentExpression") {
    const [first, ...rest] = pathOf(parent.left);
    return (
      (first === "exports" || first === "module") &&
      (rest.length === 0 || handlerNames.has(rest.at(-1) as string) || rest.at(-1) === "exports")
    );
  }
  if (parent?.type !== "CallExpression") return false;
  const [path] = parent.arguments as readonly Node[];
  const method = pathOf(parent.callee);
  return method.length > 1 && routers.has(method.at(-1) as string) && textOf(path)?.startsWith("/") === true;
}

function isDefaultExport(file: SourceFile, property: Node): boolean {
  return file.around(property).some(({ type }) => type === "ExportDefaultDeclaration");
}

/** Whether a module is a Worker's: its default export is an object that fetches, or it asks for what Workers alone have. */
export function isWorker(file: SourceFile): boolean {
  if (file.modules.includes("cloudflare:workers")) return true;
  return file.all("ExportDefaultDeclaration").some(({ declaration }) => {
    const object = unwrapped(declaration);
    return object?.type === "ObjectExpression" && (object.properties as readonly Node[]).some((property) => keyOf(property) === "fetch");
  });
}

/** Whether a module exports what a router calls by the method's name. */
export function isRoute(file: SourceFile): boolean {
  return exportedNames(file).some((name) => routeNames.has(name));
}

function exportedNames(file: SourceFile): readonly string[] {
  return file.all("ExportNamedDeclaration").flatMap(({ declaration }) => {
    const { id, declarations = [] } = (declaration ?? {}) as { readonly id?: Node; readonly declarations?: readonly Node[] };
    return [id, ...declarations.map((one) => one.id as Node)].flatMap((one) => pathOf(one));
  });
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
