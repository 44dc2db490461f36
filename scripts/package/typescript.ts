import { execFile } from "node:child_process";
import { mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A way to resolve modules, and the files that are compiled so. */
interface Manner {
  readonly name: string;
  readonly files: readonly string[];
  readonly options: object;
  /** The versions it is tried with. Default: all. */
  readonly versions?: readonly number[];
}

const libraries = { lib: ["es2022"], types: ["node"] };
/** In ES modules, in CommonJS, and by `module` commonjs, which writes `require` for both. */
const [esm, cjs, plain] = ["all.mts", "all.cts", "all.ts"];
const commonjs = { module: "commonjs", moduleResolution: "node10", esModuleInterop: true };

const manners: readonly Manner[] = [
  { name: "nodenext", files: [esm, cjs], options: { ...libraries, module: "nodenext" } },
  { name: "node16", files: [esm, cjs], options: { ...libraries, module: "node16" }, versions: [5.4, 5.9, 7] },
  { name: "bundler", files: [plain], options: { ...libraries, module: "esnext", moduleResolution: "bundler" }, versions: [5.4, 5.9, 7] },
  { name: "CommonJS, node10", files: [plain], options: { ...libraries, ...commonjs }, versions: [5.4, 5.9] },
  {
    name: "CommonJS, node10",
    files: [plain],
    options: { ...libraries, ...commonjs, ignoreDeprecations: "6.0" },
    versions: [6],
  },
  {
    name: "CommonJS, bundler",
    files: [plain],
    options: { ...libraries, module: "commonjs", moduleResolution: "bundler" },
    versions: [6, 7],
  },
];

/** What can be had without types of others: everything but the pool and the adapters of ORMs. */
const bare: Manner = {
  name: "bundler, the DOM's types alone",
  files: ["bare.ts"],
  options: { lib: ["es2022", "dom"], types: [], module: "esnext", moduleResolution: "bundler" },
};

/** Compiles all entries with every TypeScript of `tools`, with and without pg's types, checking the declarations too and not. */
export async function checkTypeScript({ project, manifest }: Stranger, tools: string): Promise<readonly Line[]> {
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== "./package.json");
  const importing = (names: readonly string[]) =>
    `${names.map((entry, at) => `import * as entry${at} from "${entry.replace(/^\./, manifest.name)}";`).join("\n")}
     export const namespaces = [${names.map((_, at) => `entry${at}`).join()}];`;
  const use = `import { createDatabase, DatabaseError, type Plan, WarmlineError } from "warmline";
    import { closeOnShutdown, lambdaHandler } from "warmline/lambda";
    const db = createDatabase();
    closeOnShutdown(db);
    export const handler = lambdaHandler(db, async (event: { readonly id: number }) => db.sql<{ n: number }>\`select \${event.id} as n\`);
    export const first = async (): Promise<number | undefined> => (await handler({ id: 1 }))[0]?.n;
    export class Mine extends WarmlineError {}
    export const codeOf = (error: unknown): string => (error instanceof DatabaseError ? error.code : "");
    export const plan: Plan = db.plan;
    // @ts-expect-error a plan is no number
    export const wrong: number = db.plan;
    export const body: ReadableStream = db.stream("select").toReadable();`;
  const folder = join(project, "typescript");
  await mkdir(folder);
  const write = async (names: readonly string[]) => {
    for (const file of [esm, cjs, plain]) await writeFile(join(folder, file), `${importing(names)}\n${use}`);
  };
  await writeFile(join(folder, "bare.ts"), use);
  const names = (await readdir(tools)).filter((name) => name.startsWith("typescript-"));
  const compileAll = async (manner: Manner, options: object, kind: string) => {
    const lines: Line[] = [];
    for (const name of names) {
      const version = Number(name.replace("typescript-", ""));
      if (manner.versions?.includes(version) === false) continue;
      const config = join(folder, "tsconfig.json");
      const compilerOptions = { target: "es2022", strict: true, noEmit: true, ...manner.options, ...options };
      await writeFile(config, JSON.stringify({ files: manner.files, compilerOptions }));
      const problem = await compile(join(tools, name, "bin/tsc"), config);
      const line = { tool: `${name}, ${manner.name}${kind}`, entry: "*", chose: "types", forbidden: [] };
      lines.push(problem === "" ? line : { ...line, problem });
    }
    return lines;
  };
  const types = join(project, "node_modules/@types");
  await mkdir(types, { recursive: true });
  const lines = await compileAll(bare, { skipLibCheck: false }, "");
  await symlink(join(root, "node_modules/@types/node"), join(types, "node"));
  await write(entries);
  for (const manner of manners.slice(0, 1)) lines.push(...(await compileAll(manner, { skipLibCheck: true }, ", without @types/pg")));
  await symlink(join(root, "node_modules/@types/pg"), join(types, "pg"));
  // Drizzle's own declarations are faulty, and take longer to check than all others together
  await write(entries.filter((entry) => entry !== "./drizzle"));
  for (const manner of manners) lines.push(...(await compileAll(manner, { skipLibCheck: false }, "")));
  await rm(types, { recursive: true });
  return lines;
}

/** What a compiler says of the package and of what uses it; not what it says of others, whose declarations not every version can read. */
async function compile(tsc: string, config: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, "-p", config, "--pretty", "false"]).catch(
    (error: { readonly stdout: string }) => error,
  );
  const errors = stdout.split("\n").filter((line) => /error TS\d+/.test(line));
  return errors.filter((line) => !/node_modules\/(?!warmline\/)/.test(line.split("(")[0] ?? "")).join("\n");
}
