import { fileURLToPath } from "node:url";
import { build, type Metafile, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The most a cold start of `lambda.handler` may read, in bytes: 298 KB, without what signs IAM tokens. */
export const COLD_BUDGET_BYTES = 298 * 1024;

/** The handlers in the artifact, by the name `serverless.yml` calls them. */
export const lambdaEntries = { lambda: "functions/lambda.ts", "lambda-stream": "functions/lambda-stream.ts" } as const;

const source = (path: string) => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** Where the bundle would be, if it were written here. */
const PREFIX = "dist-lambda/";

/** One file of the bundle. */
export interface BundledFile {
  /** Its path in the artifact, `chunks/node-ABC.mjs`. */
  readonly path: string;
  readonly contents: Uint8Array;
}

/** The bundle, and what a cold start reads of it. */
export interface LambdaBundle {
  readonly files: readonly BundledFile[];
  /** Bytes of an entry and all it imports statically; what it imports later is not loaded at a cold start. */
  readonly coldBytes: Readonly<Record<keyof typeof lambdaEntries, number>>;
  /** Bytes a login with an IAM token reads besides, where the environment holds the credentials. */
  readonly iamBytes: number;
  readonly totalBytes: number;
  readonly metafile: Metafile;
}

/**
 * What pg asks for only in cases that cannot arise here: the bridge to libpq (a C addon that is not installed), the password file (warmline
 * always hands over a password function), and Cloudflare's sockets. pg asks late, so that nothing misses them. So does what
 * signs for Aurora DSQL with credentials from elsewhere than Lambda's environment.
 */
const neverAskedFor = /^(pg-native|pgpass|pg-cloudflare|@aws-sdk\/dsql-signer)$/;

/** What stands in for modules that are asked for when others are loaded, and then never used here. Whoever uses one after all is told. */
const standIns: readonly (readonly [path: RegExp, contents: string])[] = [
  // on Lambda warmline goes over its pool: the way over HTTP is 900 KB, and what both share would be files of their own at every cold start
  [
    /[\\/]src[\\/]entry[\\/]make-node-http\.ts$/,
    `export const makeNodeHttp = () => { throw new Error("this bundle goes over the pool; leave transport out"); };`,
  ],
  // warmline reads URLs itself and gives pg fields
  [
    /[\\/]pg-connection-string[\\/]index\.js$/,
    `exports.parse = () => { throw new Error("pg takes fields in this bundle, no connection string"); };`,
  ],
  // warmline asks for values as text
  [/[\\/]pg-types[\\/]lib[\\/]binaryParsers\.js$/, "exports.init = () => {};"],
  // the names of type ids are for people who write parsers
  [
    /[\\/]pg-types[\\/]lib[\\/]builtins\.js$/,
    `module.exports = new Proxy({}, { get() { throw new Error("this bundle leaves types.builtins out; write the type's id"); } });`,
  ],
  // the demo mounts no application of another framework
  [
    /[\\/]hono[\\/]dist[\\/]utils[\\/]mount\.js$/,
    `export const createMountedRequest = () => { throw new Error("this bundle leaves app.mount out"); };`,
  ],
];

const leaveOut: Plugin = {
  name: "leave-out-what-pg-does-not-need-here",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/native$/ }, ({ importer }) =>
      /[\\/]pg[\\/]lib[\\/]index\.js$/.test(importer) ? { path: "pg-native", external: true } : undefined,
    );
    onResolve({ filter: neverAskedFor }, ({ path }) => ({ path, external: true }));
    for (const [filter, contents] of standIns) onLoad({ filter }, () => ({ contents, loader: "js" }));
  },
};

/** The bundle of the demo's handlers. Needs no network and writes nothing. */
export async function bundleLambda(): Promise<LambdaBundle> {
  // apart, for what two entries share would be one more file for each to read; chunks of the same name are the same
  const bundles = await Promise.all(Object.entries(lambdaEntries).map(([name, path]) => bundleHandlers({ [name]: path })));
  const files = [...new Map(bundles.flatMap((bundle) => bundle.files).map((file) => [file.path, file])).values()].sort(byPath);
  const metafile = {
    inputs: Object.assign({}, ...bundles.map((bundle) => bundle.metafile.inputs)) as Metafile["inputs"],
    outputs: Object.assign({}, ...bundles.map((bundle) => bundle.metafile.outputs)) as Metafile["outputs"],
  };
  const cold = coldOutputs(metafile, `${PREFIX}lambda.mjs`);
  return {
    files,
    coldBytes: {
      lambda: bytesOf(metafile, cold),
      "lambda-stream": bytesOf(metafile, coldOutputs(metafile, `${PREFIX}lambda-stream.mjs`)),
    },
    iamBytes: bytesOf(
      metafile,
      [...coldOutputs(metafile, iamChunk(metafile))].filter((path) => !cold.has(path)),
    ),
    totalBytes: files.reduce((sum, { contents }) => sum + contents.byteLength, 0),
    metafile,
  };
}

/**
 * Bundles handlers from source, by the names they are to have: ES modules for Node 24, minified, the package `warmline` taken from `src`. What
 * is imported dynamically becomes a chunk of its own.
 */
export async function bundleHandlers(entryPoints: Readonly<Record<string, string>>): Promise<Pick<LambdaBundle, "files" | "metafile">> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entryPoints },
    outdir: PREFIX,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    minify: true,
    legalComments: "none",
    metafile: true,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    alias: {
      warmline: source("entry/node.ts"),
      "warmline/tcp": source("entry/tcp.ts"),
      "warmline/lambda": source("adapters/lambda.ts"),
    },
    plugins: [leaveOut],
    // pg is CommonJS and requires Node's own modules.
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
  const files = outputFiles
    .map(({ path, contents }) => ({ path: path.slice(root.length + PREFIX.length).replaceAll("\\", "/"), contents }))
    .sort(byPath);
  return { files, metafile };
}

function byPath(a: BundledFile, b: BundledFile): number {
  return a.path < b.path ? -1 : 1;
}

/** The outputs a module pulls in when it is loaded, itself included. */
export function coldOutputs(metafile: Metafile, entry: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const { path: next, kind, external } of metafile.outputs[path]?.imports ?? []) {
      if (kind === "import-statement" && external !== true) open.push(next);
    }
  }
  return seen;
}

/** The chunk that signs IAM tokens. */
function iamChunk({ outputs }: Metafile): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === "src/aws/iam-token.ts");
  if (found === undefined) throw new Error("What signs IAM tokens is no chunk of its own: a function with a password reads it too.");
  return found[0];
}

function bytesOf(metafile: Metafile, paths: Iterable<string>): number {
  return [...paths].reduce((sum, path) => sum + (metafile.outputs[path]?.bytes ?? 0), 0);
}
