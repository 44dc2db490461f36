import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type * as entry from "../../src/entry/node.ts";

/** What tells a copy from the one beside it. */
export interface CopyOptions {
  /** The version it takes itself for. Default: that of package.json. */
  readonly version?: string;
  readonly minify?: boolean;
}

/** Another copy of the package in this process, as a bundler makes one for each of its entries: all of it evaluated again, save pg. */
export async function loadCopy({ version, minify = false }: CopyOptions = {}): Promise<typeof entry> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-copy-"));
  try {
    const outfile = join(folder, "copy.mjs");
    await build({
      entryPoints: [fileURLToPath(new URL("../../src/entry/node.ts", import.meta.url))],
      bundle: true,
      platform: "node",
      format: "esm",
      minify,
      outfile,
      plugins: [packagesOutside, ...(version === undefined ? [] : [withVersion(version)])],
    });
    return await import(/* @vite-ignore */ pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const packagesOutside: Plugin = {
  name: "packages outside",
  setup(bundle) {
    bundle.onResolve({ filter: /^[@a-z]/ }, ({ path }) => ({ path: import.meta.resolve(path), external: true }));
  },
};

const withVersion = (version: string): Plugin => ({
  name: "version",
  setup(bundle) {
    bundle.onLoad({ filter: /pool\/version\.ts$/ }, () => ({ contents: `export const VERSION = ${JSON.stringify(version)};` }));
  },
});
