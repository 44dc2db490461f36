import { execFileSync } from "node:child_process";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { codeRules } from "../../src/doctor/code/code-rules.ts";
import { loadReaders } from "../../src/doctor/code/load-readers.ts";
import { scan } from "../../src/doctor/code/scan.ts";
import type { Evidence, Pieces, Seen } from "../../src/doctor/evidence.ts";
import { judge } from "../../src/doctor/rule.ts";
import { sourceRules } from "../../src/doctor/rules/code.ts";
import { acrossFiles } from "./across-files.ts";
import { codeFixtures } from "./code-fixtures.ts";
import { badPrograms, goodPrograms } from "./programs.ts";
import { type Files, makeProject } from "./workplace.ts";

async function scanOf(files: Files, { git = false, signal = new AbortController().signal, load = loadReaders } = {}) {
  using project = makeProject(files, { git });
  return await scan({ folder: project.folder, timeoutMs: 60_000, signal, load });
}

/** What the rules over sources say of them. */
async function verdictOf(files: Files) {
  const { project, sources } = await scanOf(files);
  const { findings, notSeen } = judge(sourceRules, { project, sources } as Evidence);
  return { findings, notSeen };
}

function value<T>(seen: Seen<T>): T {
  if ("unseen" in seen) throw new Error(seen.unseen);
  return seen.value;
}

test("every rule over sources has a fixture", () => {
  expect(Object.keys(codeFixtures).sort()).toEqual([...codeRules.map(({ name }) => name), "secret-in-wrangler"].sort());
});

describe.each(Object.entries(codeFixtures))("%s", (name, { fails, passes }) => {
  test("fires in its fixture, and alone", async () => {
    const { findings, notSeen } = await verdictOf(fails);
    expect([...new Set(findings.map(({ rule }) => rule))]).toEqual([name]);
    expect(findings.every(({ at }) => Object.keys(fails).some((path) => at?.startsWith(path)))).toBe(true);
    expect(JSON.stringify(findings)).not.toContain("canary");
    expect(notSeen).toEqual([]);
  });

  test("says nothing where it is done right", async () => {
    expect(await verdictOf(passes)).toEqual({ findings: [], notSeen: [] });
  });
});

const asFiles = (program: string | Files): Files => (typeof program === "string" ? { "src/a.tsx": program } : program);

test.each(Object.entries(goodPrograms))("says nothing of an ordinary program: %s", async (_name, program) => {
  expect(await verdictOf(asFiles(program))).toEqual({ findings: [], notSeen: [] });
});

test.each(Object.entries(badPrograms))("sees the fault, and no other: %s", async (_name, [rule, program]) => {
  const { findings, notSeen } = await verdictOf(asFiles(program));
  expect([[...new Set(findings.map((finding) => finding.rule))], notSeen]).toEqual([[rule], []]);
});

test.each(acrossFiles)("%s is seen where what is used was made in another file: %s", async (rule, _way, files, at) => {
  const { findings, notSeen } = await verdictOf(files);
  expect([findings.map((finding) => [finding.rule, finding.at]), notSeen]).toEqual([[[rule, at]], []]);
});

test("what is imported under a pool's name, and is none, is judged by nobody", async () => {
  const use =
    'import { pool } from "./made";\nexport async function use() { const client = await pool.connect(); await client.query("select 1"); }';
  for (const made of ['export const pool = connectTo("redis");', 'export * from "./made";', 'export { pool } from "mssql";', ""]) {
    expect((await verdictOf({ "src/made.ts": `import "pg";\n${made}`, "src/use.ts": use })).findings).toEqual([]);
  }
  expect((await verdictOf({ "src/use.ts": use.replace("./made", "mssql") })).findings).toEqual([]);
});

test("sources are parsed: what stands in text and comments is none", async () => {
  const text = '// rejectUnauthorized: false\nexport const said = `console.log(process.env.DATABASE_URL)`; /* new Pool() of "pg" */';
  expect((await verdictOf({ "src/a.ts": text })).findings).toEqual([]);
});

describe("the scan", () => {
  const fault = "console.log(process.env.DATABASE_URL);";

  test("leaves out what git ignores, what others wrote, and tests", async () => {
    const { count, sources } = await scanOf(
      {
        ".gitignore": "generated/\n",
        "generated/a.ts": fault,
        "node_modules/a/index.js": fault,
        "packages/b/dist/b.js": fault,
        "src/a.test.ts": fault,
        "test/b.ts": fault,
        "src/own.tsx": fault,
      },
      { git: true },
    );
    expect(value(sources).places.map(({ at }) => at)).toEqual(["src/own.tsx:1"]);
    expect(count).toMatchObject({ seen: 1, notSeen: 0, tests: 2 });
  });

  test("of a folder that is no repository walks all but what others wrote", async () => {
    const { count } = await scanOf({ "node_modules/a.js": fault, "a/b/c.mjs": fault, "read.md": "", "a/types.d.ts": "" });
    expect(count).toMatchObject({ seen: 1, notSeen: 0 });
  });

  test("of nothing finds nothing", async () => {
    const { count, sources, project } = await scanOf({});
    expect(count).toMatchObject({ seen: 0, notSeen: 0, tests: 0 });
    expect([value(sources).places, value(project).packages]).toEqual([[], []]);
  });

  test("counts what does not parse and what is too large", async () => {
    const { count } = await scanOf({ "a.ts": "console.log(url;", "b.ts": `console.log("${"x".repeat(1_100_000)}")`, "c.ts": "" });
    expect(count).toMatchObject({ seen: 1, notSeen: 2, missing: expect.stringMatching(/^2 of 3 files/) });
  });

  test.each([
    ["brackets", `const pg = require("pg"); x = ${"[".repeat(200_000)}${"]".repeat(200_000)}`],
    ["members", `require("pg"); a${".b".repeat(300_000)}.transaction()`],
    ["a sum", `console.log(${'"a"+'.repeat(60_000)}url)`],
  ])("neither ends nor hangs at what is nested as no program is: %s", async (_name, text) => {
    expect((await scanOf({ "src/a.js": text })).count).toMatchObject({ seen: 0, notSeen: 1 });
  });

  test("takes time that grows with a file, not with its square", async () => {
    const files = {
      "src/a.js": Array.from({ length: 9_000 }, (_, at) => `const v${at} = f(); db.query(\`select * from \${v${at}}\`);`).join("\n"),
    };
    const { sources, count } = await scanOf(files);
    expect([value(sources).places.length, value(sources).places.at(-1)?.at, count.notSeen]).toEqual([9_000, "src/a.js:9000", 0]);
  }, 20_000);

  test("looks once at what is made of itself, twice over", async () => {
    const doubled = Array.from({ length: 60 }, (_, at) => `let v${at} = \`\${v${(at + 1) % 60}} \${v${(at + 1) % 60}}\`;`).join("\n");
    const { sources } = await scanOf({ "src/a.js": `${doubled}\ndb.query(\`select * from \${v0}\`);` });
    expect(value(sources).places).toEqual([]);
  });

  test("does not wait for a pipe, and does not miss what was deleted", async () => {
    using project = makeProject({ "src/a.ts": fault, "src/deleted.ts": fault, "package.json": "{}" }, { git: true });
    execFileSync("git", ["add", "."], { cwd: project.folder });
    for (const path of ["src/deleted.ts", "package.json"]) rmSync(join(project.folder, path));
    execFileSync("mkfifo", [join(project.folder, "pipe")]);
    symlinkSync("../pipe", join(project.folder, "src/pipe.ts"));
    symlinkSync("loop.ts", join(project.folder, "src/loop.ts"));
    const { count } = await scan({ folder: project.folder, timeoutMs: 60_000, signal: new AbortController().signal, load: loadReaders });
    expect(count).toMatchObject({ seen: 1, notSeen: 2 });
  });

  test("reads a folder that the repository around it ignores", async () => {
    using project = makeProject({ ".gitignore": "own", "own/a.ts": fault }, { git: true });
    const options = { folder: join(project.folder, "own"), timeoutMs: 60_000, signal: new AbortController().signal, load: loadReaders };
    expect((await scan(options)).count).toMatchObject({ seen: 1, notSeen: 0 });
  });

  test("reads a configuration with a byte-order mark, and says of a broken one that it was not read", async () => {
    const { project } = await scanOf({
      "package.json": '\ufeff{ "dependencies": { "pg": "8" } }',
      "wrangler.jsonc": '{ "vars": { "A": } }',
    });
    expect(project).toMatchObject({ value: { packages: ["pg"] }, missing: "wrangler.jsonc: it cannot be read" });
  });

  test("ends when its time is over, and says how many files it did not see", async () => {
    const files = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`src/${at}.ts`, fault]));
    const over = new AbortController();
    const load = async () => {
      const readers = await loadReaders();
      over.abort();
      return readers;
    };
    const { count, sources } = await scanOf(files, { signal: over.signal, load });
    expect(count).toMatchObject({ seen: 0, notSeen: 500, missing: expect.stringMatching(/^500 of 500 files: no time was left/) });
    // what was not found may stand in what was not read
    expect(sources).toMatchObject({ value: { namesDirectUrl: null }, missing: expect.stringContaining("500 of 500") });
  });

  const without = { unseen: "it is not installed" };

  test("without a parser is not done, and names the package", async () => {
    const load = async () => ({ parser: without, toml: without, yaml: without });
    const { count, sources, project } = await scanOf(
      { "a.ts": fault, "package.json": `{"dependencies":{"knex":"1"}}`, "wrangler.toml": "", "serverless.yml": "" },
      { load },
    );
    expect(count).toMatchObject({ seen: 0, notSeen: 1, missing: "it is not installed" });
    expect(sources).toEqual({ unseen: "it is not installed" });
    expect(project).toMatchObject({ value: { packages: ["knex"] } satisfies Partial<Pieces["project"]> });
    for (const path of ["wrangler.toml", "serverless.yml"])
      expect(project).toHaveProperty("missing", expect.stringContaining(`${path}: it is`));
  });

  test("without a parser lacks nothing where there are no sources to read", async () => {
    const load = async () => ({ parser: without, toml: without, yaml: without });
    const { count, sources, project } = await scanOf({ "package.json": "{}", "main.py": "", "src/a.test.ts": fault }, { load });
    expect(count).toEqual({ seen: 0, notSeen: 0, tests: 1, tookMs: expect.any(Number) });
    expect([sources, project]).toEqual([
      { value: { places: [], bareDrivers: [], namesDirectUrl: false } },
      { value: { packages: [], functionTimeouts: [], openSecrets: [] } },
    ]);
  });
});

test("what is not installed, and what is there and cannot be loaded, is said with the line to write, and the rest is done", () => {
  const readers = new URL("../../src/doctor/code/load-readers.ts", import.meta.url);
  const program = `
    import { registerHooks } from "node:module";
    const resolve = (name, context, next) => {
      if (name === "smol-toml") throw Object.assign(new Error("canary"), { code: "ERR_MODULE_NOT_FOUND" });
      // as where npm left out the binary
      if (name === "oxc-parser") return { url: "data:text/javascript,throw new Error('Cannot find native binding: canary')", shortCircuit: true };
      // as Yarn's Plug'n'Play has it
      if (name === "yaml") throw Object.assign(new Error("canary"), { code: "MODULE_NOT_FOUND", pnpCode: "MISSING_PEER_DEPENDENCY" });
      return next(name, context);
    };
    registerHooks({ resolve });
    const { loadReaders } = await import("${readers}");
    const { parser, toml, yaml } = await loadReaders();
    console.log(JSON.stringify([parser, toml, yaml]));`;
  const written = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  expect(JSON.parse(written)).toEqual([
    { unseen: "oxc-parser is installed, and cannot be loaded: npm install --save-dev oxc-parser" },
    { unseen: "smol-toml is not installed: npm install --save-dev smol-toml" },
    { unseen: "yaml is not installed: npm install --save-dev yaml" },
  ]);
});

describe("time-outs of functions in serverless.yml", () => {
  const timeouts = async (files: Files) => value((await scanOf(files)).project).functionTimeouts;
  const inLambda = (...seconds: number[]) => seconds.map((one) => ({ seconds: one, platform: "lambda", at: "serverless.yml" }));

  test.each<[string, string, number[]]>([
    ["each function's own, once", "functions: { a: { timeout: 20 }, b: { timeout: 20 }, c: { timeout: 5 } }", [20, 5]],
    ["the provider's", "functions: { a: { handler: a.b } }", [9]],
    ["those of a list of files' contents", "functions: [{ a: { timeout: 3 } }, { b: {} }]", [3, 9]],
    ["none that stands in a variable", `functions: { a: { timeout: "\${param:timeout}" } }`, []],
    ["none where there are no functions", "resources: [ !Ref A ]", []],
    ["those of merged keys, beside tags of CloudFormation", "x: &x { timeout: 4 }\nfunctions: { a: { <<: *x, role: !GetAtt A.Arn } }", [4]],
  ])("%s", async (_, text, seconds) => {
    expect(await timeouts({ "serverless.yml": `provider: { name: aws, timeout: 9 }\n${text}\n` })).toEqual(inLambda(...seconds));
  });

  test("6 s where nobody says one, and none of another provider", async () => {
    expect(await timeouts({ "serverless.yml": "provider: aws\nfunctions: { a: {} }" })).toEqual(inLambda(6));
    expect(await timeouts({ "serverless.yml": "provider: { name: azure }\nfunctions: { a: {} }" })).toEqual([]);
  });

  test("none where lambdaHandler ends calls in time, and none where not every file was read", async () => {
    const files = { "serverless.yml": "provider: aws\nfunctions: { a: {} }" };
    const handler = `import { lambdaHandler } from "warmline/lambda"; export const handler = lambdaHandler(db, async () => {});`;
    expect(await timeouts({ ...files, "src/a.ts": handler })).toEqual([]);
    expect(await timeouts({ ...files, "src/a.ts": "import { Pool } from 'pg'" })).toEqual(inLambda(6));
    expect(await timeouts({ ...files, "src/a.ts": "import 'pg'; (" })).toEqual([]);
  });

  test("what is no YAML, or goes round, was not read", async () => {
    const round = `a: &a [x, x]\n${Array.from({ length: 9 }, (_, at) => `b${at}: &b${at} [${"*".concat(at === 0 ? "a" : `b${at - 1}`, ", ").repeat(9)}]`).join("\n")}`;
    for (const text of ["a: [", "a: 1\n a: 2", round]) {
      expect((await scanOf({ "serverless.yml": text })).project).toHaveProperty("missing", "serverless.yml: it cannot be read");
    }
  });
});
