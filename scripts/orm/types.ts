import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Packages } from "./bundle.ts";

const root = process.cwd();

/** What is compiled under a major that the project is not developed with. */
export interface TypesOptions {
  /** Paths in the repository. */
  readonly files: readonly string[];
  readonly packages: Packages;
  /** `node_modules` of the ORMs. */
  readonly tools: string;
  /** Where the compiler's configuration is written. */
  readonly folder: string;
}

/**
 * Compiles files against packages that are installed under another name, and this package's declarations as they are published. Resolves with
 * what the compiler has to say of the files and of those declarations; what it says of the packages themselves is theirs.
 */
export async function compile({ files, packages, tools, folder }: TypesOptions): Promise<readonly string[]> {
  const renamed = Object.entries(packages).flatMap(([name, installed]) => [
    [name, [join(tools, installed, "index.d.ts")]],
    [`${name}/*`, [join(tools, installed, "*/index.d.ts"), join(tools, installed, "*.d.ts")]],
  ]);
  const paths = {
    warmline: [join(root, "dist/entry/node.d.ts")],
    "warmline/drizzle": [join(root, "dist/adapters/drizzle.d.ts")],
    "warmline/prisma": [join(root, "dist/adapters/prisma.d.ts")],
    "@prisma/driver-adapter-utils": [join(tools, "@prisma/driver-adapter-utils/dist/index.d.ts")],
    ...Object.fromEntries(renamed),
  };
  const config = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { paths, skipLibCheck: false },
    include: files.map((file) => join(root, file)),
    exclude: [],
  };
  const file = join(folder, "tsconfig.json");
  await writeFile(file, JSON.stringify(config));
  const said = await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", file, "--pretty", "false"], {
    cwd: root,
    maxBuffer: 64 << 20,
  }).then(
    () => "",
    ({ stdout, message }: { readonly stdout?: string; readonly message: string }) => stdout || message,
  );
  return said.split("\n").filter((line) => line.includes("error") && !line.includes("node_modules/"));
}
