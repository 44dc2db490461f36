import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));
const FOR_NODE = "dist/node/";

/** What a target of `exports` or `bin` is, and how deep it is nested, is for package.json to say. */
type Targets = string | { readonly [condition: string]: Targets };

/**
 * Puts what Node reads into few files, out of the modules that TypeScript made: Node finds, reads and links each file by itself, which takes it longer
 * than what is in them. Each entry has a file of its own name in `dist/node`; what several share stands in `dist/node/chunks`, each file of which
 * is reached by the same entries throughout, so that none reads what it does not use. The edge keeps the modules, of which bundlers leave out
 * the most; those that only Node reaches are deleted.
 */
export async function bundleForNode(): Promise<void> {
  const { exports, bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, Targets>>;
    readonly bin: Targets;
  };
  const targets = [exports, bin].flatMap(filesIn);
  const entries = new Set(targets.filter((file) => file.startsWith(FOR_NODE)).map((file) => basename(file, ".js")));
  const unknown = [...entries].filter((name) => sources[name] === undefined);
  if (unknown.length > 0) throw new Error(`Nothing says what dist/node/${unknown.join(", ")} is made of.`);
  await build({
    ...common,
    entryPoints: Object.fromEntries([...entries, ...twins.keys()].map((name) => [name, `dist/${sources[twins.get(name) ?? name]}.js`])),
    outdir: FOR_NODE,
    chunkNames: "chunks/[hash]",
    splitting: true,
    platform: "node",
    target: "node22",
    sourcemap: true,
    sourcesContent: false,
  });
  for (const twin of twins.keys()) remove(`${FOR_NODE}${twin}.js`);
  for (const file of modulesIn(FOR_NODE)) dropBareImports(file);
  const elsewhere = targets.filter((file) => file.startsWith("dist/") && !file.startsWith(FOR_NODE));
  const { metafile } = await build({ ...common, entryPoints: elsewhere, outdir: "dist", write: false, metafile: true });
  const kept = new Set(Object.keys(metafile.inputs));
  for (const file of modulesIn("dist")) if (!file.startsWith(FOR_NODE) && !kept.has(file)) remove(file);
}

/** The modules that entries are made of, by the names of their files. */
const sources: Readonly<Record<string, string>> = {
  warmline: "entry/node",
  http: "entry/node-http",
  tcp: "entry/tcp",
  hyperdrive: "entry/hyperdrive-elsewhere",
  pool: "entry/pool",
  dashboard: "adapters/dashboard",
  drizzle: "adapters/drizzle",
  hono: "adapters/hono",
  keep: "keep/keep",
  kysely: "adapters/kysely",
  lambda: "adapters/lambda",
  otel: "adapters/otel",
  prisma: "adapters/prisma",
  vercel: "adapters/vercel",
  endpoint: "endpoint/endpoint",
  cli: "cli/main",
};

/**
 * Second entries of the modules that export what others do, errors and `sql`, beside what is their own: of two, each has its own in a chunk, too. In
 * the entry's file a bundler would take it along for whoever asks for an error.
 */
const twins = new Map(["warmline", "http", "tcp"].map((name) => [`${name}-twin`, name]));

const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  packages: "external",
  external: ["cloudflare:*", "node:*"],
  logLevel: "warning",
} satisfies BuildOptions;

/** Paths from the root, of all that is no declaration. */
function filesIn(targets: Targets): readonly string[] {
  if (typeof targets === "string") return targets.endsWith(".js") ? [targets.replace("./", "")] : [];
  return [...new Set(Object.values(targets).flatMap(filesIn))];
}

function modulesIn(folder: string): readonly string[] {
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => relative(root, join(file.parentPath, file.name)));
  return paths.filter((path) => path.endsWith(".js"));
}

/** A module, and its map. */
function remove(file: string): void {
  for (const one of [file, `${file}.map`]) rmSync(join(root, one));
}

/** esbuild has a file import also those of which it needs nothing, for the order in which they run. None of ours does anything when it is loaded. */
function dropBareImports(file: string): void {
  const path = join(root, file);
  // the lines stay, for its map
  writeFileSync(path, readFileSync(path, "utf8").replace(/^import "\.[^"]*";$/gm, ""));
}
