import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Bundles the conformance suite into one module of a stranger's project. What it imports of `src` it gets from the installed package, which exports all of it;
 * `vitest` is the stand-in. Resolves with the module's path.
 */
export async function bundleJudge(project: string, tools: string): Promise<string> {
  const outfile = join(project, "judge.mjs");
  await build({
    entryPoints: [join(root, "test/runtimes/judge.ts")],
    outfile,
    bundle: true,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    nodePaths: [tools],
    tsconfigRaw: "{}",
    logLevel: "warning",
    plugins: [fromThePackage],
  });
  return outfile;
}

const fromThePackage: Plugin = {
  name: "from the package",
  setup({ onResolve }) {
    onResolve({ filter: /^vitest$/ }, () => ({ path: join(root, "test/runtimes/stand-in.ts") }));
    onResolve({ filter: /^warmline$|\/src\/.*\.ts$/ }, () => ({ path: "warmline", external: true }));
  },
};
