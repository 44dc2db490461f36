import { posix } from "node:path";
import type { Project } from "./code-rule.ts";
import type { SourceFile } from "./source-file.ts";

const endings = ["", ".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", "/index.ts", "/index.tsx", "/index.js"];

/** The parsed files as one project. Aliases are those that frameworks write into new ones: `@/` and `~/`, for the root or `src`. */
export function projectOf(parsed: readonly SourceFile[]): Project {
  const files = new Map(parsed.map((file) => [file.path, file]));
  const find = (base: string) =>
    endings.map((ending) => files.get(`${base}${ending}`)).find((file) => file !== undefined) ??
    // TypeScript's own imports name the file that will be made
    files.get(base.replace(/\.([mc]?)js$/, ".$1ts"));
  return {
    files,
    resolve(from, module) {
      if (module.startsWith(".")) return find(posix.join(posix.dirname(from.path), module));
      if (!/^[@~]\//.test(module)) return undefined;
      return find(module.slice(2)) ?? find(`src/${module.slice(2)}`) ?? find(`app/${module.slice(2)}`);
    },
  };
}
