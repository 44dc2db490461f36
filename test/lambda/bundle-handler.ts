import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";

/** Bundles a handler's source as it would be deployed, one ES module for Node, and gives what `startSandbox` takes: `<folder>/index.handler`. */
export async function bundleHandler(
  source: string,
  folder: string,
  more: Pick<BuildOptions, "sourcemap" | "minify"> = {},
): Promise<string> {
  await build({
    ...more,
    entryPoints: [source],
    outfile: join(folder, "index.mjs"),
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22",
    logLevel: "error",
    external: ["pg-native", "pg-cloudflare"],
    // pg is CommonJS, and asks for Node's own modules with `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  return join(folder, "index.handler");
}
