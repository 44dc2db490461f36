import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What runs a file that was not built. */
interface Runner {
  readonly tool: string;
  /** Files of a folder of their own, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** The script in `node_modules` of the tools, or of this repository, and what follows it; the first of them may be an option of Node. */
  readonly args: readonly string[];
}

const ask = `const db = createDatabase();
  const rows = await db.sql\`select 1 as one\`;
  await db.close();`;
const test = `test("asks", async () => { ${ask} expect(rows).toEqual([{ one: 1 }]); });`;
const imports = 'import { createDatabase } from "warmline";';
const requires = 'const { createDatabase } = require("warmline");';
const script = `${imports}\nasync function main(): Promise<void> { ${ask} if (rows[0]?.["one"] !== 1) throw new Error("no row"); }\nmain();`;
const modules = '{ "type": "module" }';
const commonjs = '{ "type": "commonjs" }';
const tsconfig = (options: object) =>
  JSON.stringify({ compilerOptions: { strict: true, target: "es2022", esModuleInterop: true, ...options } });
/** Reads ES modules by `import` and `require`; on Node 24.9 and later. */
const natively = ["--experimental-vm-modules", "jest/bin/jest.js"];
const transforming = '{ "transform": { "\\\\.[jt]sx?$": "@swc/jest" }, "transformIgnorePatterns": ["/node_modules/(?!warmline/)"] }';

const runners: readonly Runner[] = [
  { tool: "Jest, require", files: { "package.json": commonjs, "a.test.js": `${requires}\n${test}` }, args: natively },
  {
    tool: "Jest, import",
    files: { "package.json": modules, "a.test.js": `${imports}\n${test}`, "jest.config.json": '{ "transform": {} }' },
    args: natively,
  },
  {
    tool: "Jest, transformed by swc",
    files: { "package.json": commonjs, "a.test.ts": `${imports}\n${test}`, "jest.config.json": transforming },
    args: ["jest/bin/jest.js"],
  },
  {
    tool: "Vitest",
    files: { "package.json": modules, "a.test.ts": `${imports}\n${test}` },
    args: ["vitest/vitest.mjs", "run", "--globals"],
  },
  {
    tool: "ts-node, CommonJS",
    files: { "package.json": commonjs, "a.ts": script, "tsconfig.json": tsconfig({ module: "commonjs", moduleResolution: "node10" }) },
    args: ["ts-node/dist/bin.js", "a.ts"],
  },
  {
    tool: "ts-node, nodenext",
    files: { "package.json": commonjs, "a.ts": script, "tsconfig.json": tsconfig({ module: "nodenext" }) },
    args: ["ts-node/dist/bin.js", "a.ts"],
  },
  { tool: "tsx, CommonJS", files: { "package.json": commonjs, "a.ts": script }, args: ["tsx/dist/cli.mjs", "a.ts"] },
  { tool: "tsx, ES module", files: { "package.json": modules, "a.ts": script }, args: ["tsx/dist/cli.mjs", "a.ts"] },
  { tool: "Node, types stripped", files: { "package.json": modules, "a.ts": script }, args: ["a.ts"] },
  { tool: "Node, require", files: { "package.json": commonjs, "a.cjs": `${requires}\n(async () => { ${ask} })();` }, args: ["a.cjs"] },
];

/** Has each of them import the installed package and ask for a row. */
export async function checkRunners({ project }: Stranger, tools: string, databaseUrl: string): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (const [at, { tool, files, args }] of runners.entries()) {
    const folder = join(project, `runner-${at}`);
    await mkdir(folder);
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    const line = { tool, entry: ".", chose: "the package", forbidden: [] };
    const env = { PATH: process.env.PATH, HOME: folder, NODE_PATH: tools, DATABASE_URL: databaseUrl, CI: "true" };
    const command = args.map((arg) => located(arg, tools));
    const found = await promisify(execFile)(process.execPath, command, { cwd: folder, env }).then(
      () => line,
      ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => ({
        ...line,
        problem: `${stdout}${stderr}`.slice(-2_000),
      }),
    );
    lines.push(found);
  }
  return lines;
}

/** A script of a package by its path; other arguments as they are. */
function located(arg: string, tools: string): string {
  if (!arg.includes("/")) return arg;
  return join(arg.startsWith("vitest/") ? join(root, "node_modules") : tools, arg);
}
