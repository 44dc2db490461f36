import { describe, expect, test } from "vitest";
import { codeRules } from "../../src/doctor/code/code-rules.ts";
import { loadReaders } from "../../src/doctor/code/load-readers.ts";
import { scan } from "../../src/doctor/code/scan.ts";
import type { Evidence, Pieces, Seen } from "../../src/doctor/evidence.ts";
import { judge } from "../../src/doctor/rule.ts";
import { sourceRules } from "../../src/doctor/rules/code.ts";
import { codeFixtures } from "./code-fixtures.ts";
import { type Files, makeProject } from "./workplace.ts";

async function scanOf(files: Files, { git = false, signal = new AbortController().signal, load = loadReaders } = {}) {
  using project = makeProject(files, { git });
  return await scan({ folder: project.folder, timeoutMs: 60_000, signal, load });
}

/** What the rules over sources say of them. */
async function verdictOf(files: Files) {
  const { project, sources } = await scanOf(files);
  return judge(sourceRules, { project, sources } as Evidence);
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

  test("without a parser is not done, and names the package", async () => {
    const load = async () => ({ parser: undefined, toml: undefined });
    const { count, sources, project } = await scanOf(
      { "a.ts": fault, "package.json": `{"dependencies":{"knex":"1"}}`, "wrangler.toml": "" },
      { load },
    );
    expect(count).toMatchObject({ seen: 0, notSeen: 1, missing: expect.stringContaining("npm install --save-dev oxc-parser") });
    expect(sources).toEqual({ unseen: expect.stringContaining("oxc-parser is not installed") });
    expect(project).toMatchObject({
      value: { packages: ["knex"] } satisfies Partial<Pieces["project"]>,
      missing: expect.stringContaining("wrangler.toml: smol-toml is not installed"),
    });
  });
});
