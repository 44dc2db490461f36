import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSync } from "vite";
import { describe, expect, test } from "vitest";
import { visit } from "../architecture/read-imports.ts";
import { type InstalledPackage, installPackage } from "./installed-package.ts";

const TSC = join(import.meta.dirname, "../../node_modules/.bin/tsc");
/** Without any types of others, as on the edge, and with those a Node project has. */
const bare = installPackage();
const typed = installPackage(["@types/node", "@types/pg"]);

for (const { project } of [bare, typed]) {
  for (const name of ["public-api.ts", "assertions.ts"]) cpSync(join(import.meta.dirname, "../types", name), join(project, name));
}
cpSync(join(import.meta.dirname, "../types/exported.ts"), join(typed.project, "exported.ts"));
writeFileSync(
  join(typed.project, "entries.ts"),
  `import { createDatabase, type Database } from "warmline";
   import { type Endpoint, startEndpoint } from "warmline/endpoint";
   import { sharedPool, WarmPool } from "warmline/pool";
   import type pg from "pg";
   export const pool: pg.Pool = new WarmPool({ connectionString: "postgres://someone@host/db", max: 2 });
   export const Pool: typeof pg.Pool = WarmPool;
   declare const config: pg.PoolConfig;
   export const pools = [new WarmPool(config), new WarmPool("postgres://someone@host/db"), sharedPool({ ssl: { ca: "" }, onConnect: async (client) => void (await client.query("")) })];
   export const endpoint: Promise<Endpoint> = startEndpoint({ databaseUrl: "postgres://someone@host/db" });
   export const db: Database = createDatabase();
   // @ts-expect-error no such option
   new WarmPool({ pooling: true });`,
);
writeFileSync(
  join(bare.project, "wrong.ts"),
  'import { createDatabase } from "warmline"; export const wrong: number = createDatabase().plan.transport;',
);

const strict = {
  target: "es2023",
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: false,
};

/** What the compiler has to say about files of the stranger's project; nothing when it is content. */
function compile({ project }: InstalledPackage, file: string, compilerOptions: object): string {
  const config = join(project, "tsconfig.json");
  writeFileSync(config, JSON.stringify({ files: [file], compilerOptions: { ...strict, ...compilerOptions } }));
  const { error, stdout } = spawnSync(TSC, ["-p", config, "--pretty", "false"], { cwd: project, encoding: "utf8" });
  if (error !== undefined) throw error;
  return stdout;
}

const browser = { lib: ["es2022", "dom"], types: [] };
const node = { lib: ["es2022"], types: ["node"] };
const nodenext = { module: "nodenext", moduleResolution: "nodenext" };
const bundler = { module: "esnext", moduleResolution: "bundler" };

describe("a strict project that checks its libraries too", () => {
  test.each([
    ["nodenext and the DOM's types", { ...nodenext, ...browser }],
    ["bundler and the DOM's types", { ...bundler, ...browser }],
    ["bundler under workerd's conditions", { ...bundler, ...browser, customConditions: ["workerd", "worker", "browser"] }],
    ["bundler under edge-light's condition", { ...bundler, ...browser, customConditions: ["edge-light"] }],
  ])("compiles the main entry with %s, and no other types installed", (_, options) => {
    expect(compile(bare, "public-api.ts", options)).toBe("");
  });

  test.each([
    ["nodenext", { ...nodenext, ...node }],
    ["bundler", { ...bundler, ...node }],
  ])("compiles every entry with %s, Node's types and pg's", (_, options) => {
    expect(compile(typed, "public-api.ts", options)).toBe("");
    expect(compile(typed, "entries.ts", options)).toBe("");
  });

  test("is told what is wrong", () => {
    expect(compile(bare, "wrong.ts", { ...nodenext, ...browser })).toMatch(/wrong\.ts.*TS2322/);
  });
});

describe("a library that exports what the package returns, and writes declarations", () => {
  const library = { ...node, noEmit: false, emitDeclarationOnly: true, declaration: true, outDir: "written", skipLibCheck: true };

  test.each([
    ["ES modules, nodenext", "module", nodenext],
    ["ES modules, bundler", "module", bundler],
    ["CommonJS, nodenext", "commonjs", nodenext],
  ])("finds a name for each type in the entries: %s", (_, type, options) => {
    writeFileSync(join(typed.project, "package.json"), JSON.stringify({ type }));
    expect(compile(typed, "exported.ts", { ...library, ...options, verbatimModuleSyntax: false })).toBe("");
    const written = readFileSync(join(typed.project, "written/exported.d.ts"), "utf8");
    expect(written.match(/.*(node_modules|warmline\/dist).*/g)).toBeNull();
  });
});

test("no declaration of the package says any", () => {
  const { files, path } = bare;
  const declarations = files.filter((file) => file.endsWith(".d.ts"));
  expect(declarations.length).toBeGreaterThan(60);
  expect(declarations.filter((file) => countAny(readFileSync(join(path, file), "utf8")) > 0)).toEqual([]);
  expect(countAny("export declare const a: any; export type B = Promise<any>; /** any */ export declare const any: 'any';")).toBe(2);
});

function countAny(declaration: string): number {
  const { program, errors } = parseSync("module.d.ts", declaration);
  expect(errors).toEqual([]);
  let count = 0;
  visit(program, ({ type }) => {
    if (type === "TSAnyKeyword") count++;
  });
  return count;
}
