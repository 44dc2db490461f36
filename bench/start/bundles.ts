import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, type Metafile } from "esbuild";
import { type StartContender, targets } from "./contenders.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const installed = ["warmline", "pg", "postgres", "@neondatabase/serverless"];

/** pg is CommonJS and requires Node's own modules. It is not counted, for who needs it differs. */
const REQUIRE = 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);';
const ENTRY = "contender.js";

/** What a contender weighs, bytes. */
export interface Weight {
  /** Minified, all in one file. */
  readonly minified: number;
  /** The same, gzip level 9: what is uploaded. */
  readonly gzip: number;
  /** Of a bundle that is split, what is read without waiting for an `import()`, gzip. */
  readonly atStartGzip: number;
}

/** A stranger's project, in which the packages are installed; it is removed at the end. */
export interface Project extends AsyncDisposable {
  weigh(contender: StartContender): Promise<Weight>;
  /** Writes the contender's module, bundled into one file, and gives its path. */
  bundle(contender: StartContender): Promise<string>;
  /** Writes the contender's module as it is, so that it imports what is installed. */
  leave(contender: StartContender): Promise<string>;
}

/** Opens a project beside nothing of this repository, so that the package is found as its users find it. It has to be built before. */
export async function openProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-start-"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  for (const name of installed) {
    const place = join(folder, "node_modules", name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(name === "warmline" ? root : join(root, "node_modules", name), place);
  }
  let written = 0;
  const write = async (code: string | Uint8Array) => {
    const file = join(folder, `${++written}.mjs`);
    await writeFile(file, code);
    return file;
  };
  return {
    async weigh(contender) {
      const [whole, split] = await Promise.all([bundled(folder, contender, false), bundled(folder, contender, true)]);
      const start = outputsAtStart(split.metafile);
      return {
        minified: sum(whole.outputFiles.map(({ contents }) => contents.length)),
        gzip: sum(whole.outputFiles.map(({ contents }) => gzipped(contents))),
        atStartGzip: sum(
          split.outputFiles.filter(({ path }) => start.has(relative(folder, path))).map(({ contents }) => gzipped(contents)),
        ),
      };
    },
    async bundle(contender) {
      const { outputFiles } = await bundled(folder, contender, false);
      const code = outputFiles[0]?.text ?? "";
      return write(contender.target === "node" ? REQUIRE + code : code);
    },
    leave: ({ code }) => write(code),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function bundled(folder: string, { code, target }: StartContender, splitting: boolean) {
  return build({
    stdin: { contents: code, resolveDir: folder, sourcefile: ENTRY, loader: "js" },
    ...targets[target],
    bundle: true,
    splitting,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    metafile: true,
    write: false,
    outdir: join(folder, "bundle"),
    absWorkingDir: folder,
    logLevel: "silent",
  });
}

function outputsAtStart({ outputs }: Metafile): ReadonlySet<string> {
  const reached = new Set<string>();
  const open = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint?.endsWith(ENTRY));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const one of outputs[path]?.imports ?? []) if (one.kind === "import-statement" && one.external !== true) open.push(one.path);
  }
  return reached;
}

const gzipped = (contents: Uint8Array) => gzipSync(contents, { level: 9 }).length;
const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
