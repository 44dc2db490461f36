import { isNode, keyOf, type Node, type NodesOf, pathOf, textOf, unwrapped } from "./ast.ts";

/** Where a name comes from: `{ module: "pg", name: "Pool" }`; `default` and `*` for what has no name there. */
export interface Origin {
  readonly module: string;
  readonly name: string;
}

/** What a file imports, or requires. */
export interface Imports {
  /** Where names of the file come from. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Every module that is imported for its values. */
  readonly modules: readonly string[];
}

/** Reads them off the nodes of a file. */
export function readImports(all: NodesOf): Imports {
  const origins = new Map<string, Origin>();
  const modules: string[] = [];
  for (const node of all("ImportDeclaration")) {
    const module = String((node.source as Node).value);
    const specifiers = node.specifiers as readonly Node[];
    const typesAlone = specifiers.length > 0 && specifiers.every(({ importKind }) => importKind === "type");
    if (node.importKind !== "type" && !typesAlone) modules.push(module);
    for (const specifier of specifiers) {
      const name = { ImportDefaultSpecifier: "default", ImportNamespaceSpecifier: "*" }[specifier.type];
      const imported = specifier.imported as Node | undefined;
      origins.set(String((specifier.local as Node).name), { module, name: name ?? String(imported?.name ?? imported?.value) });
    }
  }
  for (const node of all("ExportNamedDeclaration", "ExportAllDeclaration")) {
    if (isNode(node.source) && node.exportKind !== "type") modules.push(String(node.source.value));
  }
  for (const node of all("ImportExpression")) {
    const module = textOf(node.source);
    if (module !== undefined) modules.push(module);
  }
  for (const node of all("TSImportEqualsDeclaration")) {
    const module = textOf((node.moduleReference as Node).expression);
    if (module === undefined || node.importKind === "type") continue;
    modules.push(module);
    origins.set(String((node.id as Node).name), { module, name: "*" });
  }
  for (const node of all("VariableDeclarator")) {
    const init = unwrapped(node.init);
    // const { Pool } = require("pg") in one: require("pg").Pool, (await import("pg")).default, pg.Pool
    if (init?.type === "MemberExpression" && init.computed !== true && (node.id as Node).type === "Identifier") {
      const object = unwrapped(init.object);
      const required = requiredBy(object);
      const from = object?.type === "Identifier" ? origins.get(String(object.name)) : undefined;
      const of = required ?? (from?.name === "*" || from?.name === "default" ? from.module : undefined);
      if (required !== undefined) modules.push(required);
      if (of !== undefined) origins.set(String((node.id as Node).name), { module: of, name: String((init.property as Node).name) });
      continue;
    }
    // import pg from "pg"; const { Pool } = pg;
    const whole = init?.type === "Identifier" ? origins.get(String(init.name)) : undefined;
    const module = whole?.module ?? requiredBy(init);
    if (module === undefined || (whole !== undefined && whole.name !== "default" && whole.name !== "*")) continue;
    if (whole === undefined) modules.push(module);
    const id = node.id as Node;
    if (id.type === "Identifier") origins.set(String(id.name), { module, name: "*" });
    if (id.type !== "ObjectPattern") continue;
    for (const property of id.properties as readonly Node[]) {
      const local = property.value as Node | undefined;
      if (local?.type === "Identifier") origins.set(String(local.name), { module, name: keyOf(property) ?? "*" });
    }
  }
  return { origins, modules };
}

/** The module that `require("…")`, or an awaited `import("…")`, names. */
export function requiredBy(init: Node | undefined): string | undefined {
  if (init?.type === "ImportExpression") return textOf(init.source);
  if (init?.type !== "CallExpression" || pathOf(init.callee).join(".") !== "require") return undefined;
  return textOf((init.arguments as readonly unknown[])[0]);
}
