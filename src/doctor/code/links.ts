import { type Node, pathOf } from "./ast.ts";
import { clientsOf, namesOf } from "./clients.ts";
import { type Exported, exportsOf } from "./exports.ts";
import type { Origin } from "./imports.ts";
import { isEdge } from "./places.ts";
import type { SourceFile } from "./source-file.ts";
import { unreleasedIn } from "./unreleased.ts";

/** What a name may hold that rules look for in other files than that which makes it: a pool, or a Drizzle of Neon's HTTP driver. */
export type Held = "pool" | "neon-http";

/** What of a file rules need that look across files: a whole repository of these fits into memory, and its trees would not. */
export interface FileLinks {
  readonly path: string;
  readonly modules: readonly string[];
  /** Where names of the file come from. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly exports: readonly Exported[];
  /** What names of the file hold that it makes itself. */
  readonly holds: ReadonlyMap<string, Held>;
  /** Where a driver over sockets is imported by the file itself: `path:line`. */
  readonly driver: { readonly name: string; readonly at: string } | undefined;
  readonly edge: boolean;
  /** Calls of `….transaction(…)`, by what they are called on. */
  readonly transactions: readonly { readonly of: string; readonly at: string }[];
  /** Clients that are not given back, by what they were asked of. */
  readonly unreleased: readonly { readonly of: string; readonly at: string; readonly found: string }[];
}

const drivers = ["pg", "postgres"];

/** Takes them off a file's tree. */
export function linksOf(file: SourceFile): FileLinks {
  const driver = file.modules.find((module) => drivers.includes(module));
  const [program] = file.all("Program");
  const importing = file.all("ImportDeclaration").find(({ source }) => (source as Node).value === driver) ?? (program as Node);
  return {
    path: file.path,
    modules: file.modules,
    origins: file.origins,
    exports: exportsOf(file),
    holds: new Map(makersIn(file).flatMap(({ node, held }) => namesOf(file, node).map((name) => [name, held]))),
    driver: driver === undefined ? undefined : { name: driver, at: file.at(importing) },
    edge: isEdge(file),
    transactions: file.all("CallExpression").flatMap((node) => {
      const path = pathOf(node.callee);
      return path.length > 1 && path.at(-1) === "transaction" ? [{ of: path.slice(0, -1).join("."), at: file.at(node) }] : [];
    }),
    unreleased: unreleasedIn(file).map(({ pool, node, found }) => ({ of: pool, at: file.at(node), found })),
  };
}

function makersIn(file: SourceFile): readonly { readonly node: Node; readonly held: Held }[] {
  const pools = clientsOf(file).filter(({ made }) => made === "Pool");
  const overHttp = file.all("CallExpression").filter(({ callee }) => {
    const origin = file.origin(callee);
    return origin?.module === "drizzle-orm/neon-http" && origin.name === "drizzle";
  });
  return [...pools.map(({ node }) => ({ node, held: "pool" }) as const), ...overHttp.map((node) => ({ node, held: "neon-http" }) as const)];
}
