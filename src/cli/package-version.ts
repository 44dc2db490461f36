import { createRequire } from "node:module";

/** The version of this package, as its package.json says, which it finds by name: this file stands at another depth in each build. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("warmline/package.json") as { readonly version: string };
  return version;
}
