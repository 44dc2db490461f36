import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { installPackage } from "./installed-package.ts";

const { manifest, project } = installPackage();

/** What the README's first import line and its error handling need; the same on every runtime. */
const publicNames = [
  "CancelledError",
  "ConfigError",
  "ConnectionError",
  "DatabaseError",
  "DecodeError",
  "TransactionError",
  "UsageError",
  "WarmlineError",
  "createDatabase",
  "fateOf",
  "isWarmlineError",
  "sql",
];

const entries = Object.keys(manifest.exports).filter((name) => name !== "./package.json");

/** Runs a module of the stranger's project in a fresh Node, without anything of the environment but the path. */
function run(code: string, ...flags: readonly string[]): string {
  return execFileSync(process.execPath, [...flags, "--input-type=module", "--eval", code], {
    cwd: project,
    encoding: "utf8",
    env: { PATH: process.env.PATH ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function namesOf(specifier: string, ...flags: readonly string[]): unknown {
  return JSON.parse(run(`console.log(JSON.stringify(Object.keys(await import(${JSON.stringify(specifier)})).sort()))`, ...flags));
}

test.each(entries)("the entry %s loads with only the declared dependencies beside it", (entry) => {
  expect(namesOf(entry.replace(/^\./, manifest.name))).not.toEqual([]);
});

describe("warmline/tcp and warmline/http", () => {
  test.each(["tcp", "http"])("%s exports the names of the main entry, to Node and to the edge", (entry) => {
    expect(namesOf(`warmline/${entry}`)).toEqual(publicNames);
    expect(namesOf(`warmline/${entry}`, "--conditions=edge-light")).toEqual(publicNames);
  });

  test("say on the edge and by plan what they are for", () => {
    const url = '"postgres://someone@ep-x.us-east-2.aws.neon.tech/shop"';
    const code = `const { createDatabase } = await import(process.argv[1]);
      try { const db = createDatabase(${url}); console.log(db.plan.transport, db.plan.session); } catch (error) { console.log(error.code); }`;
    const say = (entry: string, ...flags: string[]) => run(code.replaceAll("process.argv[1]", JSON.stringify(entry)), ...flags).trim();
    expect([say("warmline/tcp"), say("warmline/tcp", "--conditions=edge-light")]).toEqual(["pool pool", "NO_TRANSPORT"]);
    expect([say("warmline/http"), say("warmline/http", "--conditions=edge-light")]).toEqual(["http none", "http none"]);
  });
});

describe("the main entry", () => {
  test("exports the same names to Node and to the edge", () => {
    expect(namesOf(manifest.name)).toEqual(publicNames);
    expect(namesOf(manifest.name, "--conditions=edge-light")).toEqual(publicNames);
  });

  test("gives a database in Node that has planned a pool before anything is connected", () => {
    const code = `import { createDatabase } from "warmline";
      const db = createDatabase("postgres://someone@127.0.0.1:1/shop");
      console.log(db.plan.runtime, db.plan.transport);
      await db.close();`;
    expect(run(code)).toBe("node pool\n");
  });

  test("can be required, for it has no top-level await", () => {
    const code =
      'import { createRequire } from "node:module"; console.log(Object.keys(createRequire(import.meta.url)("warmline")).sort().join())';
    expect(run(code)).toBe(`${publicNames.join()}\n`);
  });

  test("keeps its insides to itself", () => {
    expect(() => run('await import("warmline/dist/database/sql.js")')).toThrow("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });
});

test("WarmPool from warmline/pool is a pg.Pool, by class and by name", () => {
  const code = `import { sharedPool, WarmPool } from "warmline/pool";
    import pg from "pg";
    const pool = new WarmPool({ connectionString: "postgres://someone@127.0.0.1:1/shop" });
    console.log(pool instanceof pg.Pool, pool.constructor.name, sharedPool().constructor.name);
    await pool.end();`;
  expect(run(code)).toBe("true BoundPool BoundPool\n");
});

test("WarmPool can be required, and is a subclass of the pg that is", () => {
  const code = `import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    const { WarmPool, sharedPool } = require("warmline/pool");
    const pool = new WarmPool("postgres://someone@127.0.0.1:1/shop");
    console.log(pool instanceof require("pg").Pool, sharedPool() instanceof require("pg").Pool);
    pool.query("select 1").catch((error) => console.log(error.code, error.syscall, error.fate));`;
  expect(run(code)).toBe("true true\nECONNREFUSED connect not-sent\n");
});

test("the command answers --help", () => {
  const PATH = `${dirname(process.execPath)}:${process.env.PATH}`;
  const output = execFileSync(join(project, "node_modules/.bin/warmline"), ["--help"], { cwd: project, encoding: "utf8", env: { PATH } });
  expect(output).toMatch(/^Usage: warmline <command>/);
});
