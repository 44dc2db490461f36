import { copyFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Packages that are installed under another name: `{ "drizzle-orm": "drizzle-orm-1" }`. */
export type Packages = Readonly<Record<string, string>>;

/** Files that stand for a package, one for each kind of runtime: what an ORM generates. */
export type Files = Readonly<Record<string, { readonly node: string; readonly workerd: string }>>;

/** What is bundled. */
export interface BundleOptions {
  /** Of the program, in `test/orm/programs`. */
  readonly program: string;
  readonly packages: Packages;
  readonly files: Files;
  /** `node_modules` of the ORMs. */
  readonly tools: string;
  readonly outfile: string;
}

/** What packages in the older form call at their start, for built-ins of Node. */
const REQUIRE = 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

/** How each kind of runtime is given a program: the function that runs it, and how it is bundled. */
const kinds = {
  node: {
    code: 'import { runOnNode } from "./on-node.ts"; await runOnNode(orm, JSON.parse(process.argv[2]));',
    options: {
      platform: "node",
      conditions: ["node"],
      external: ["pg", "pg-cursor", "pg-native", "ws", "undici", "@neondatabase/serverless"],
      banner: { js: REQUIRE },
    },
  },
  "workerd over HTTP": {
    code: 'import { workerOverHttp } from "./on-workerd.ts"; export default workerOverHttp(orm);',
    options: { platform: "browser", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"] },
  },
  "workerd over Hyperdrive": {
    code: 'import { workerOverHyperdrive } from "./on-hyperdrive.ts"; export default workerOverHyperdrive(orm);',
    options: { platform: "browser", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"] },
  },
  "workerd at module scope": {
    code: 'import { workerAtModuleScope } from "./at-module-scope.ts"; export default workerAtModuleScope(orm);',
    options: { platform: "browser", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:*", "node:*"] },
  },
} as const;

export type Kind = keyof typeof kinds;

/** Bundles a program with what runs it, and the package as it was built. Resolves with the packages that reached the bundle. */
export async function bundleProgram(kind: Kind, { program, packages, files, tools, outfile }: BundleOptions): Promise<readonly string[]> {
  const { code, options } = kinds[kind];
  const { metafile } = await build({
    ...options,
    conditions: [...options.conditions],
    external: [...options.external],
    stdin: { contents: `import { orm } from "./programs/${program}";\n${code}`, resolveDir: join(root, "test/orm"), loader: "ts" },
    outfile,
    bundle: true,
    format: "esm",
    target: "es2023",
    mainFields: ["module", "main"],
    nodePaths: [tools],
    tsconfigRaw: "{}",
    metafile: true,
    logLevel: "warning",
    alias: Object.fromEntries(Object.entries(files).map(([name, file]) => [name, file[kind === "node" ? kind : "workerd"]])),
    plugins: [renamed(packages, tools), builtins, webAssembly(dirname(outfile))],
  });
  return [...new Set(Object.keys(metafile.inputs).flatMap((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []))];
}

/** Finds a package under the name it was installed by, whoever asks for it: this package's adapter does, too. */
function renamed(packages: Packages, tools: string): Plugin {
  return {
    name: "packages under another name",
    setup({ onResolve, resolve }) {
      for (const [name, installed] of Object.entries(packages)) {
        onResolve({ filter: new RegExp(`^${name}(/|$)`) }, ({ path, kind, pluginData }) =>
          // it may be the name that was asked for, of which there is to be one copy
          pluginData === tools
            ? undefined
            : resolve(path.replace(name, installed), { resolveDir: join(tools, ".."), kind, pluginData: tools }),
        );
      }
    },
  };
}

/** pg requires built-ins of Node, and names them without `node:`; a worker can only import them, by their full names. */
const builtins: Plugin = {
  name: "built-ins of Node",
  setup({ initialOptions, onResolve, onLoad }) {
    if (initialOptions.platform === "node") return;
    onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]+)?$/ }, ({ path, kind }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.replace(/^(node:)?/, "node:");
      return kind === "require-call" ? { path: name, namespace: "required" } : { path: name, external: true };
    });
    onLoad({ filter: /./, namespace: "required" }, ({ path }) => ({
      contents: `export * from "${path}"; export { default } from "${path}";`,
    }));
  },
};

/** WebAssembly is a module of its own to workerd, which compiles none that comes as bytes. */
function webAssembly(folder: string): Plugin {
  return {
    name: "WebAssembly",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir }) => {
        const file = join(resolveDir, path.replace("?module", ""));
        copyFileSync(file, join(folder, basename(file)));
        return { path: `./${basename(file)}`, external: true };
      });
    },
  };
}
