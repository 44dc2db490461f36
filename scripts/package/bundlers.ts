import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { builtinModules, createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build as esbuild, type Metafile } from "esbuild";
import { build as vite } from "vite";
import type { BuildName } from "./expected.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A module to bundle, as a stranger wrote it. */
export interface Source {
  /** The stranger's project. */
  readonly project: string;
  /** The module, in the project. */
  readonly file: string;
  /** `node_modules` with the bundlers this repository does not have. */
  readonly tools: string;
}

/** What a bundler read, and what it left for the runtime to find. */
export interface Bundled {
  /** Paths or ids of modules. */
  readonly inputs: readonly string[];
  readonly left: readonly string[];
}

/** A bundler with one of its targets. */
export interface Bundler {
  readonly name: string;
  /** The build of the package that is right for it. */
  readonly build: BuildName;
  /** Whether the target has nothing of Node. */
  readonly edge: boolean;
  bundle(source: Source): Promise<Bundled>;
}

const builtins = [...builtinModules, ...builtinModules.map((name) => `node:${name}`)];
/** Not installed with the package: pg asks for the first in vain, the package for the others where they are needed. */
const absent = ["pg-native"];
const platform = /^(cloudflare|node):/;

/** Every bundler, for its edge or browser target and for Node's. */
export const bundlers: readonly Bundler[] = [
  { name: "esbuild, browser", build: "browser", edge: true, bundle: (source) => withEsbuild(source, "browser") },
  { name: "esbuild, node", build: "node", edge: false, bundle: (source) => withEsbuild(source, "node") },
  { name: "wrangler", build: "workerd", edge: true, bundle: withWrangler },
  { name: "Vite, browser", build: "browser", edge: true, bundle: (source) => withVite(source, false) },
  { name: "Vite, ssr", build: "node", edge: false, bundle: (source) => withVite(source, true) },
  { name: "Rollup, browser", build: "browser", edge: true, bundle: (source) => withRollup(source, "browser") },
  { name: "Rollup, node", build: "node", edge: false, bundle: (source) => withRollup(source, "node") },
  { name: "webpack, web", build: "browser", edge: true, bundle: (source) => withWebpack(source, "web") },
  { name: "webpack, node", build: "node", edge: false, bundle: (source) => withWebpack(source, "node24") },
];

async function withEsbuild({ project, file }: Source, target: "browser" | "node"): Promise<Bundled> {
  const { metafile } = await esbuild({
    entryPoints: [file],
    bundle: true,
    format: "esm",
    platform: target,
    metafile: true,
    write: false,
    outdir: join(project, "out"),
    absWorkingDir: project,
    logLevel: "silent",
    external: ["cloudflare:*", ...(target === "node" ? absent : [])],
  });
  return ofMetafile(metafile);
}

async function withWrangler({ project, file }: Source): Promise<Bundled> {
  const config = join(project, "wrangler.json");
  const metafile = join(project, "wrangler-meta.json");
  await writeFile(config, JSON.stringify({ name: "stranger", main: file, compatibility_date: "2026-08-04" }));
  const args = ["deploy", "--dry-run", "--config", config, "--outdir", join(project, "out-wrangler"), `--metafile=${metafile}`];
  await promisify(execFile)(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: project,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false" },
  });
  return ofMetafile(JSON.parse(await readFile(metafile, "utf8")) as Metafile);
}

function ofMetafile({ inputs, outputs }: Metafile): Bundled {
  const left = Object.values(outputs).flatMap(({ imports }) => imports.filter((one) => one.external).map(({ path }) => path));
  return { inputs: Object.keys(inputs), left };
}

interface Chunk {
  readonly type: string;
  readonly modules?: Readonly<Record<string, unknown>>;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
  readonly fileName: string;
}

async function withVite({ project, file }: Source, ssr: boolean): Promise<Bundled> {
  const built = await vite({
    root: project,
    configFile: false,
    logLevel: "silent",
    ...(ssr && { ssr: { noExternal: true, external: absent } }),
    build: {
      write: false,
      ...(ssr ? { ssr: file } : { lib: { entry: file, formats: ["es"] as const } }),
      rolldownOptions: { external: [/^cloudflare:/] },
    },
  } as Parameters<typeof vite>[0]);
  return ofChunks([built].flat().flatMap((one) => (one as unknown as { readonly output: readonly Chunk[] }).output));
}

async function withRollup({ file, tools }: Source, target: "browser" | "node"): Promise<Bundled> {
  const load = loader(tools);
  const { rollup } = await load<{
    rollup(options: object): Promise<{ generate(options: object): Promise<{ readonly output: readonly Chunk[] }> }>;
  }>("rollup");
  const [resolve, commonjs, json] = await Promise.all(
    ["@rollup/plugin-node-resolve", "@rollup/plugin-commonjs", "@rollup/plugin-json"].map((name) =>
      load<{ default(options: object): object }>(name),
    ),
  );
  const bundle = await rollup({
    input: file,
    logLevel: "silent",
    external: [platform, ...(target === "node" ? [...builtins, ...absent] : [])],
    plugins: [
      resolve?.default({ exportConditions: [target], browser: target === "browser", preferBuiltins: target === "node" }),
      commonjs?.default({ ignoreTryCatch: true }),
      json?.default({}),
    ],
  });
  const { output } = await bundle.generate({ format: "es" });
  return ofChunks(output);
}

function ofChunks(chunks: readonly Chunk[]): Bundled {
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const imports = chunks.flatMap((chunk) => [...(chunk.imports ?? []), ...(chunk.dynamicImports ?? [])]);
  return { inputs: chunks.flatMap((chunk) => Object.keys(chunk.modules ?? {})), left: imports.filter((path) => !own.has(path)) };
}

interface WebpackModule {
  readonly identifier?: string;
  readonly moduleType?: string;
  readonly modules?: readonly WebpackModule[];
}

type Webpack = (
  options: object,
  done: (
    error: Error | null,
    stats?: {
      toJson(options: object): { readonly errors: readonly { readonly message: string }[]; readonly modules: readonly WebpackModule[] };
    },
  ) => void,
) => void;

async function withWebpack({ project, file, tools }: Source, target: "web" | "node24"): Promise<Bundled> {
  const { default: webpack } = await loader(tools)<{ default: Webpack }>("webpack");
  return new Promise((resolve, reject) => {
    const options = {
      mode: "production",
      context: project,
      entry: file,
      target,
      output: { path: join(project, "out-webpack"), module: true, library: { type: "module" } },
      experiments: { outputModule: true },
      externalsType: "import",
      externals: target === "web" ? [/^cloudflare:/] : [/^cloudflare:/, ...absent],
    };
    webpack(options, (error, stats) => {
      if (stats === undefined) return reject(error ?? new Error("webpack gave nothing."));
      const { errors, modules } = stats.toJson({
        all: false,
        errors: true,
        modules: true,
        nestedModules: true,
        ids: true,
        modulesSpace: 10_000,
        nestedModulesSpace: 10_000,
      });
      if (errors.length > 0) return reject(new Error(errors.map(({ message }) => message).join("\n")));
      const ids = flatten(modules).map(({ identifier = "" }) => identifier);
      const external = /^external (?:\w+ )*"?([^"]+)"?$/;
      resolve({
        inputs: ids.filter((id) => !external.test(id)).map((id) => id.replace(/^javascript\/\w+\|/, "").replace(/\|.*$/, "")),
        left: ids.flatMap((id) => external.exec(id)?.[1] ?? []),
      });
    });
  });
}

function flatten(modules: readonly WebpackModule[]): readonly WebpackModule[] {
  return modules.flatMap((one) => [one, ...flatten(one.modules ?? [])]);
}

/** Imports a package of another folder. */
function loader(tools: string): <Module>(name: string) => Promise<Module> {
  const { resolve } = createRequire(join(tools, "anywhere.js"));
  return (name) => import(pathToFileURL(resolve(name)).href);
}
