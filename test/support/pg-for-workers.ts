import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { type Plugin as BundlerPlugin, build } from "esbuild";
import type { Plugin } from "vite";

/** What pg requires of Node, as modules the runtime has: as wrangler does it. */
const builtins: BundlerPlugin = {
  name: "builtins",
  setup(bundler) {
    const filter = new RegExp(`^(node:)?(${builtinModules.join("|")})$`);
    bundler.onResolve({ filter }, ({ path, kind }) =>
      kind === "require-call" ? { path: path.replace("node:", ""), namespace: "builtin" } : { path, external: true },
    );
    bundler.onLoad({ filter: /./, namespace: "builtin" }, ({ path }) => ({
      contents: `import all from "node:${path}"; module.exports = all;`,
    }));
  },
};

/** Gives tests in workerd the pg that a bundle for workers has; by itself it would be resolved as in Node. */
export function pgForWorkers(): Plugin {
  let code: Promise<string> | undefined;
  return {
    name: "pg-for-workers",
    enforce: "pre",
    resolveId: (id) => (id === "pg" ? "\0pg-for-workers" : undefined),
    load(id) {
      if (id !== "\0pg-for-workers") return undefined;
      code ??= bundlePg();
      return code;
    },
  };
}

async function bundlePg(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: 'export { default } from "pg";', resolveDir: fileURLToPath(new URL("../../", import.meta.url)) },
    bundle: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*", "pg-native"],
    plugins: [builtins],
  });
  return outputFiles[0]?.text ?? "";
}
