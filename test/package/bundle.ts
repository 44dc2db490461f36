import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build, type Metafile } from "esbuild";

/** What a bundler made of a stranger's module. */
export interface Bundle {
  readonly metafile: Metafile;
  /** All of the minified code. */
  readonly code: string;
  /** Names of the packages whose files reached it, and modules it leaves for the runtime to find. */
  readonly packages: readonly string[];
  /** Size of the minified code, gzip level 9, bytes. */
  readonly gzipBytes: number;
  /** The same of what is read without waiting for an `import()`, where the bundle is split. */
  readonly startGzipBytes: number;
}

/** What tells one toolchain from another. */
export type BundleOptions = Pick<BuildOptions, "conditions" | "platform" | "mainFields" | "external" | "splitting">;

const CONSUMER = "consumer.ts";

/** Bundles `code`, as if it were a file of `project`, and writes nothing. */
export async function bundle(project: string, code: string, options: BundleOptions = {}): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    stdin: { contents: code, resolveDir: project, sourcefile: CONSUMER, loader: "ts" },
    ...options,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    metafile: true,
    write: false,
    outdir: join(project, "bundle"),
    absWorkingDir: project,
    logLevel: "silent",
    // a built-in would otherwise end the build; here it has to show up in the list of what reached the bundle
    external: ["cloudflare:*", ...builtinModules, "node:*", ...(options.external ?? [])],
  });
  const atStart = outputsAtStart(metafile);
  const sizes = outputFiles.map(({ path, contents }) => ({
    gzipBytes: gzipSync(contents, { level: 9 }).length,
    isAtStart: atStart.has(relative(project, path)),
  }));
  const sum = (of: typeof sizes) => of.reduce((bytes, { gzipBytes }) => bytes + gzipBytes, 0);
  return {
    metafile,
    code: outputFiles.map(({ text }) => text).join("\n"),
    packages: packagesIn(metafile),
    gzipBytes: sum(sizes),
    startGzipBytes: sum(sizes.filter(({ isAtStart }) => isAtStart)),
  };
}

function packagesIn(metafile: Metafile): readonly string[] {
  const inputs = Object.keys(metafile.inputs).flatMap((path) => packageOf(path) ?? []);
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter((one) => one.external).map(({ path }) => path));
  return [...new Set([...inputs, ...external])].sort();
}

/** The package a file of a bundle belongs to; undefined for the consumer itself. */
export function packageOf(path: string): string | undefined {
  const [first, second] = path.split("node_modules/").at(-1)?.split("/") ?? [];
  if (!path.includes("node_modules/") || first === undefined) return undefined;
  return first.startsWith("@") ? `${first}/${second}` : first;
}

/** The files of a split bundle that its entry point reads without waiting for an `import()`. */
function outputsAtStart({ outputs }: Metafile): ReadonlySet<string> {
  // what is imported later is an entry point, too
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith(CONSUMER));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const one of outputs[path]?.imports ?? []) if (one.kind === "import-statement" && one.external !== true) visit(one.path);
  };
  if (entry !== undefined) visit(entry);
  return reached;
}

/** Of files of a bundle, the modules they were made of: what Node reads of this package is several in one file, and its map tells which. */
export function modulesOf(project: string, inputs: readonly string[]): readonly string[] {
  return inputs.flatMap((path) => {
    if (!path.includes("warmline/dist/node/")) return [path];
    const { sources } = JSON.parse(readFileSync(join(project, `${path}.map`), "utf8")) as { readonly sources: readonly string[] };
    return sources.map((source) => join(dirname(path), source));
  });
}

/** Packages reached by the entry point of a split bundle without waiting for an `import()`. */
export function packagesAtStart(metafile: Metafile): readonly string[] {
  return [...new Set(inputsAtStart(metafile).flatMap((path) => packageOf(path) ?? []))].sort();
}

/** The same, file by file. */
export function inputsAtStart(metafile: Metafile): readonly string[] {
  return [...outputsAtStart(metafile)].flatMap((path) => Object.keys(metafile.outputs[path]?.inputs ?? {}));
}
