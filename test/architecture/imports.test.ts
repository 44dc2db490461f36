import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findCircles } from "./find-circles.ts";
import { findBreaches, findTrespasses, targetOf } from "./import-rules.ts";
import { COMPUTED, findImports, readImports } from "./read-imports.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAX_LINES = 300;
const vagueNames = ["utils", "util", "helpers", "helper", "common", "misc"];

/** TypeScript files below a folder, as paths in the repository. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.includes("node_modules/"))
    .map((name) => posix.join(folder, name));
}

function isVague(path: string): boolean {
  return path.split("/").some((part) => vagueNames.includes(part.replace(/\..*$/, "")));
}

const source = filesIn("src");
const functions = filesIn("functions");
const scripts = filesIn("scripts");
const tests = filesIn("test").filter((path) => !path.startsWith("test/next/variants/"));

test("every import of src and functions is one the floor plan allows", () => {
  const files = [...source, ...functions].filter((path) => !path.endsWith(".d.ts"));
  expect(files.length).toBeGreaterThan(60);
  expect(files.flatMap((path) => findBreaches(path, readImports(`${ROOT}${path}`)))).toEqual([]);
});

test("tests, scripts and the benchmark share test/support, and do not reach into each other's insides", () => {
  const files = [...source, ...functions, ...scripts, ...tests, ...filesIn("bench")];
  expect(files.flatMap((path) => findTrespasses(path, readImports(`${ROOT}${path}`)))).toEqual([]);
});

test("no files of src, functions and scripts import one another in a circle, for types neither", () => {
  const files = [...source, ...functions, ...scripts];
  const imports = files.map((path) => [path, readImports(`${ROOT}${path}`).map((imported) => targetOf(path, imported))] as const);
  expect(findCircles(new Map(imports))).toEqual([]);
});

test("on the floor of scripts are a dozen entries at most, and package.json names each", () => {
  const { scripts: commands } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { scripts: Record<string, string> };
  const floor = scripts.filter((path) => posix.dirname(path) === "scripts");
  expect(floor.length).toBeLessThanOrEqual(12);
  expect(floor.filter((path) => !Object.values(commands).some((command) => command.split(" ").includes(path)))).toEqual([]);
});

test(`no file of src has more than ${MAX_LINES} lines`, () => {
  expect(source.filter((path) => readFileSync(`${ROOT}${path}`, "utf8").split("\n").length > MAX_LINES + 1)).toEqual([]);
});

test("no file or folder has a name that says nothing", () => {
  expect([...source, ...functions, ...scripts, ...tests].filter(isVague)).toEqual([]);
  expect(["src/utils.ts", "src/helpers/a.ts", "test/common.test.ts"].filter(isVague)).toHaveLength(3);
});

describe("the reader of imports", () => {
  test("finds every way to name a module, over several lines too", () => {
    const text = [
      'import "a";\nimport type { T } from "b";\nimport {\n  type U,\n  v,\n} from "c";\nexport * from "d";\nexport type { W } from "e";',
      'const f = async () => import(\n  "g"\n);\ntype H = import("h").H;\nexport { v } from "i";\nexport const none = `import "j"`; // import "k"',
    ].join("\n");
    expect(findImports(text).map(({ specifier, typeOnly }) => (typeOnly ? `type ${specifier}` : specifier))).toEqual([
      "a",
      "type b",
      "c",
      "d",
      "type e",
      "g",
      "type h",
      "i",
    ]);
  });

  test.each(["const name = 'a'; import(name);", "import a = require('a');"])("tells a target that is computed: %s", (text) => {
    expect(findImports(text)).toEqual([{ specifier: COMPUTED, typeOnly: false }]);
  });

  test("refuses what does not parse", () => {
    expect(() => findImports("import from;")).toThrow("Not TypeScript");
  });
});

describe("the rules", () => {
  test.each([
    ["src/errors/errors.ts", 'import { sql } from "../database/sql.ts"'],
    ["src/decide/plan.ts", 'import fs from "node:fs"'],
    ["src/decide/plan.ts", 'import { x } from "../transports/transport.ts"'],
    ["src/database/sql.ts", 'import {\n  makePlan,\n} from "../decide/plan.ts"'],
    ["src/database/sql.ts", 'export { poolTransport } from "../transports/pool/pool.ts"'],
    ["src/database/sql.ts", 'import pg from "pg"'],
    ["src/delivery/retry.ts", 'import { makeDatabase } from "../database/database.ts"'],
    ["src/transports/http.ts", 'const pool = await import("./pool/pool.ts")'],
    ["src/transports/http.ts", 'import type { PoolClient } from "./pool/pool.ts"'],
    ["src/transports/websocket.ts", 'import { connect } from "node:net"'],
    ["src/wire/exchange.ts", 'import { Client } from "@neondatabase/serverless"'],
    ["src/transports/pool/pool.ts", 'import { sql } from "../../database/sql.ts"'],
    ["src/transports/request/request.ts", 'import pg from "pg"'],
    ["src/adapters/hono.ts", 'import { Hono } from "hono"'],
    ["src/entry/edge.ts", 'import { makePool } from "../transports/pool/pool.ts"'],
    ["src/entry/edge.ts", 'import { Buffer } from "node:buffer"'],
    ["src/entry/create.ts", 'import pg from "pg"'],
    ["src/endpoint/endpoint.ts", 'import { encodeValue } from "../database/values.ts"'],
    ["src/cli/main.ts", 'import { sql } from "../database/sql.ts"'],
    ["src/doctor/rules/server.ts", 'import { lookup } from "node:dns"'],
    ["src/doctor/rules/server.ts", 'import { askServer } from "../look/session.ts"'],
    ["src/endpoint/endpoint.ts", 'import { examine } from "../doctor/examine.ts"'],
    ["src/entry/node.ts", 'import { x } from "../../test/support/wire.ts"'],
    ["functions/app.ts", 'import { sql } from "../src/database/sql.ts"'],
    ["functions/app.ts", 'import pg from "pg"'],
    ["src/entry/node.ts", "await import(name)"],
    ["functions/worker.ts", 'import { serve } from "node:http"'],
    ["functions/app.ts", 'import { x } from "hono-elsewhere"'],
    ["src/newcomer/file.ts", 'import "./other.ts"', "src/newcomer/file.ts: no rule says what may be imported here. Add one to the table."],
  ])("refuse %s: %s", (file, text, words = `${file} may not import ${findImports(text)[0]?.specifier}`) => {
    expect(findBreaches(file, findImports(text))).toEqual([words]);
  });

  test.each([
    ["src/database/database.ts", 'import type { Plan } from "../decide/plan.ts"'],
    ["src/transports/pool/pool.ts", 'import { sql } from "../statements.ts"'],
    ["functions/app.ts", 'import { Hono } from "hono/tiny"; import { sql } from "warmline"'],
  ])("allow %s: %s", (file, text) => {
    expect(findBreaches(file, findImports(text))).toEqual([]);
  });
});

describe("the rooms", () => {
  test.each([
    ["src/entry/node.ts", 'import { x } from "../../test/support/wire.ts"', "test/support/wire.ts"],
    ["functions/app.ts", 'import { x } from "../scripts/demo/world.ts"', "scripts/demo/world.ts"],
    ["scripts/fuzz.ts", 'import type { X } from "../test/fuzz/targets.ts"', "test/fuzz/targets.ts"],
    ["test/fuzz/run.ts", 'import { x } from "../../scripts/report/aligned-table.ts"', "scripts/report/aligned-table.ts"],
    ["test/support/wire.ts", 'import { x } from "../lambda/sandbox.ts"', "test/lambda/sandbox.ts"],
    ["bench/bench.ts", 'import { x } from "../scripts/demo/world.ts"', "scripts/demo/world.ts"],
    ["scripts/demo.ts", 'import { x } from "../bench/cases.ts"', "bench/cases.ts"],
  ])("are closed to %s: %s", (file, text, target) => {
    expect(findTrespasses(file, findImports(text))).toEqual([`${file} may not import ${target}`]);
  });

  test.each([
    ["scripts/fuzz.ts", 'import { runFuzz } from "../test/fuzz/run.ts"; import pg from "pg"; import { x } from "../src/entry/node.ts"'],
    ["test/scripts/proof.test.ts", 'import { holds } from "../../scripts/proof/run.ts"; import { x } from "../support/wire.ts"'],
    ["bench/servers.ts", 'import { startPostgres } from "../test/support/postgres/server.ts"'],
  ])("are open to %s: %s", (file, text) => {
    expect(findTrespasses(file, findImports(text))).toEqual([]);
  });
});

test("circles are found, of one file, of three, and beside one another", () => {
  const imports = { a: ["b", "c"], b: ["d"], c: ["d"], d: ["a", "e"], e: ["e"], f: ["a", "pg"] };
  expect(findCircles(new Map(Object.entries(imports)))).toEqual(["a → b → d → a", "e → e"]);
  expect(findCircles(new Map(Object.entries({ a: ["b", "c"], b: ["c"], c: [] })))).toEqual([]);
});
