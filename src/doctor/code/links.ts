import { posix } from "node:path";
import { isEdge } from "./places.ts";
import { type Node, pathOf, type SourceFile, unwrapped } from "./source-file.ts";

/** What of a file rules need that look across files: a whole repository of these fits into memory, and its trees would not. */
export interface FileLinks {
  readonly path: string;
  readonly modules: readonly string[];
  readonly imports: readonly { readonly module: string; readonly imported: string; readonly local: string }[];
  /** Where a driver over sockets is imported by the file itself: `path:line`. */
  readonly driver: { readonly name: string; readonly at: string } | undefined;
  readonly edge: boolean;
  /** Names that hold a Drizzle of Neon's HTTP driver. */
  readonly overNeonHttp: readonly string[];
  /** Calls of `name.transaction(…)`. */
  readonly transactions: readonly { readonly name: string; readonly at: string }[];
}

/** The files that were parsed. */
export interface Project {
  /** The file that an import leads to; undefined for packages, and for what was not parsed. */
  resolve(from: FileLinks, module: string): FileLinks | undefined;
}

const drivers = ["pg", "postgres"];

export function linksOf(file: SourceFile): FileLinks {
  const driver = file.modules.find((module) => drivers.includes(module));
  const imports = file.all("ImportDeclaration");
  const [program] = file.all("Program");
  const importing = imports.find(({ source }) => (source as Node).value === driver) ?? (program as Node);
  return {
    path: file.path,
    modules: file.modules,
    imports: imports.flatMap(({ source, specifiers }) =>
      (specifiers as readonly Node[]).map(({ imported, local }) => ({
        module: String((source as Node).value),
        imported: String((imported as Node | undefined)?.name),
        local: String((local as Node).name),
      })),
    ),
    driver: driver === undefined ? undefined : { name: driver, at: file.at(importing) },
    edge: isEdge(file),
    overNeonHttp: file.all("VariableDeclarator").flatMap(({ id, init }) => {
      const call = unwrapped(init);
      const origin = call?.type === "CallExpression" ? file.origin(call.callee) : undefined;
      return origin?.module === "drizzle-orm/neon-http" && origin.name === "drizzle" ? pathOf(id) : [];
    }),
    transactions: file.all("CallExpression").flatMap((node) => {
      const [name, method, ...more] = pathOf(node.callee);
      return name !== undefined && method === "transaction" && more.length === 0 ? [{ name, at: file.at(node) }] : [];
    }),
  };
}

const endings = ["", ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", "/index.ts", "/index.tsx", "/index.js"];

/** The files as one project. Aliases are those that frameworks write into new ones: `@/` and `~/`, for the root, `src` or `app`. */
export function projectOf(parsed: readonly FileLinks[]): Project {
  const files = new Map(parsed.map((file) => [file.path, file]));
  const find = (base: string) =>
    endings.map((ending) => files.get(`${base}${ending}`)).find((file) => file !== undefined) ??
    // TypeScript's own imports name the file that will be made
    files.get(base.replace(/\.([mc]?)js$/, ".$1ts"));
  return {
    resolve(from, module) {
      if (module.startsWith(".")) return find(posix.join(posix.dirname(from.path), module));
      if (!/^[@~]\//.test(module)) return undefined;
      return find(module.slice(2)) ?? find(`src/${module.slice(2)}`) ?? find(`app/${module.slice(2)}`);
    },
  };
}
