import { posix } from "node:path";
import type { Origin } from "./imports.ts";
import type { FileLinks, Held } from "./links.ts";

/** The files that were parsed. */
export interface Project {
  /** The file that an import leads to; undefined for packages, and for what was not parsed. */
  resolve(from: FileLinks, module: string): FileLinks | undefined;
  /** What a name of a file holds, `pool` or `db.pool`, whichever file made it; undefined for all else. */
  heldBy(file: FileLinks, name: string): Held | undefined;
}

const extensions = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/** The files as one project. Aliases are those that frameworks write into new ones: `@/` and `~/`, for the root, `src` or `app`. */
export function projectOf(parsed: readonly FileLinks[]): Project {
  const files = new Map(parsed.map((file) => [file.path, file]));
  const find = (base: string) => {
    const paths = [base, ...extensions.map((ending) => base + ending), ...extensions.map((ending) => posix.join(base, `index${ending}`))];
    // TypeScript's own imports name the file that will be made
    return files.get(paths.find((path) => files.has(path)) ?? base.replace(/\.([mc]?)js$/, ".$1ts"));
  };
  const resolve: Project["resolve"] = (from, module) => {
    if (module.startsWith(".")) return find(posix.join(posix.dirname(from.path), module));
    if (!/^[@~]\//.test(module)) return undefined;
    return find(module.slice(2)) ?? find(`src/${module.slice(2)}`) ?? find(`app/${module.slice(2)}`);
  };
  return { resolve, heldBy: (file, name) => heldBy(resolve, file, name.split("."), new Set()) };
}

/** What was asked before, for exports may go round. */
type Asked = Set<string>;

function heldBy(resolve: Project["resolve"], file: FileLinks, path: readonly string[], asked: Asked): Held | undefined {
  const [first = "", ...members] = path;
  const origin = file.origins.get(first);
  return file.holds.get(path.join(".")) ?? (origin && exportedBy(resolve, resolve(file, origin.module), { ...origin, members, asked }));
}

interface Wanted extends Pick<Origin, "name"> {
  /** What of it: `pool` of `db.pool`. */
  readonly members: readonly string[];
  readonly asked: Asked;
}

function exportedBy(resolve: Project["resolve"], file: FileLinks | undefined, { name, members, asked }: Wanted): Held | undefined {
  const question = `${file?.path} ${name} ${members.join(".")}`;
  if (file === undefined || asked.has(question)) return undefined;
  asked.add(question);
  const [member, ...more] = members;
  const ofMember = () => (member === undefined ? undefined : exportedBy(resolve, file, { name: member, members: more, asked }));
  // all of a module: a namespace, or what module.exports is
  if (name === "*") return ofMember() ?? exportedBy(resolve, file, { name: "default", members, asked });
  for (const one of file.exports) {
    if (one.name !== name && (one.name !== "*" || name === "default")) continue;
    const held =
      "local" in one
        ? heldBy(resolve, file, [...one.local.split("."), ...members], asked)
        : exportedBy(resolve, resolve(file, one.from.module), { name: one.name === "*" ? name : one.from.name, members, asked });
    if (held !== undefined) return held;
  }
  // a module that is required has members, and an import of it has them in its default
  return name === "default" ? ofMember() : undefined;
}
