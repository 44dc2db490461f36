import { keyOf, type Node, pathOf, textOf, unwrapped } from "./ast.ts";
import { type Origin, requiredBy } from "./imports.ts";
import type { SourceFile } from "./source-file.ts";

/** A name that a module exports: something of its own, by the name that it has there, or something of another module. `*` is all that one exports. */
export type Exported = { readonly name: string } & ({ readonly local: string } | { readonly from: Origin });

/** What a module exports, in either language of modules. What is exported as it is made, without a name, is called `default`, or `module.exports`. */
export function exportsOf(file: SourceFile): readonly Exported[] {
  return [...declaredExportsOf(file), ...file.all("AssignmentExpression").flatMap(exportedByAssignment)];
}

/** What it exports by declarations, as frameworks want their handlers. */
export function declaredExportsOf(file: SourceFile): readonly Exported[] {
  return [
    ...file.all("ExportNamedDeclaration").flatMap(exportedByName),
    ...file.all("ExportDefaultDeclaration").flatMap(({ declaration }) => exportedWhole(declaration, "default")),
    ...file.all("ExportAllDeclaration").map(({ source, exported }) => ({
      name: nameOf(exported) ?? "*",
      from: { module: textOf(source) ?? "", name: "*" },
    })),
  ];
}

const nameOf = (node: unknown) => pathOf(node)[0] ?? textOf(node);

function exportedByName({ declaration, source, specifiers }: Node): readonly Exported[] {
  const { id, declarations = [] } = (declaration ?? {}) as { readonly id?: Node; readonly declarations?: readonly Node[] };
  const module = textOf(source);
  return [
    ...[id, ...declarations.map((one) => one.id)].flatMap((one) => pathOf(one).map((name) => ({ name, local: name }))),
    ...((specifiers ?? []) as readonly Node[]).map((one) => {
      const [name = "", local = ""] = [nameOf(one.exported), nameOf(one.local)];
      return module === undefined ? { name, local } : { name, from: { module, name: local } };
    }),
  ];
}

/** `exports.pool = …`, `module.exports = …`. */
function exportedByAssignment({ left, right }: Node): readonly Exported[] {
  const path = pathOf(left);
  const [name, ...more] = path[0] === "exports" ? path.slice(1) : path.join(".").startsWith("module.exports") ? path.slice(2) : ["", ""];
  if (more.length > 0) return [];
  if (name === undefined) return exportedWhole(right, "module.exports");
  return [{ name, local: pathOf(right).join(".") || path.join(".") }];
}

/** What is exported as the whole of a module: by its name, by its members where it is an object, or what another module is. */
function exportedWhole(value: unknown, unnamed: string): readonly Exported[] {
  const plain = unwrapped(value);
  const module = requiredBy(plain);
  if (module !== undefined)
    return [
      { name: "*", from: { module, name: "*" } },
      { name: "default", from: { module, name: "*" } },
    ];
  const named = plain?.type === "FunctionDeclaration" || plain?.type === "ClassDeclaration" ? plain.id : plain;
  const members = plain?.type === "ObjectExpression" ? (plain.properties as readonly Node[]) : [];
  return [
    { name: "default", local: pathOf(named).join(".") || unnamed },
    ...members.flatMap((member) => {
      const key = keyOf(member);
      if (key === undefined) return [];
      return [{ name: key, local: pathOf(member.value).join(".") || `${unnamed}.${key}` }];
    }),
  ];
}
