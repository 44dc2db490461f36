import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, test } from "vitest";
import { installPackage, typesOf } from "./installed-package.ts";

const { files, manifest, path, tarball } = installPackage();

test("the tarball holds the build, its source and what its documents point to, and nothing else", () => {
  const tops = new Set(files.filter((file) => !/^[^/]+\.md$/.test(file)).map((file) => file.replace(/^(?!bench)([^/]+)\/.*/, "$1")));
  const documents = ["bench/RESULTS.md", "bench/results.svg", "docs", "examples", "infra"];
  expect([...tops].sort()).toEqual([...documents, "LICENSE", "dist", "package.json", "src"].sort());
  expect(files.filter((file) => /^(docs|infra)\//.test(file) && !/\.(md|yml|sql|cjs|svg|png)$/.test(file))).toEqual([]);
});

/** Where a document points to beside itself: a file, a folder or a heading. */
function targetsOf(document: string): readonly string[] {
  const prose = readFileSync(join(path, document), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)|<(?:img|a)\s[^>]*(?:src|href)="([^"]+)"/g)].map(
    ([, inText, inTag]) => inText ?? inTag ?? "",
  );
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

/** The headings of a document as its anchors, as GitHub and npm make them. */
function anchorsOf(document: string): readonly string[] {
  const text = readFileSync(join(path, document), "utf8");
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, ""));
  return [...headings.map((heading) => heading.replaceAll(" ", "-")), ...[...text.matchAll(/ id="([^"]+)"/g)].map(([, id = ""]) => id)];
}

const isThere = (target: string) => files.includes(target) || files.some((file) => file.startsWith(`${target.replace(/\/$/, "")}/`));

test.each(files.filter((file) => file.endsWith(".md")))("what %s points to travels with it", (document) => {
  for (const link of targetsOf(document)) {
    const [file = "", anchor] = link.split("#");
    const target = file === "" ? document : posix.join(posix.dirname(document), file);
    expect(isThere(target), link).toBe(true);
    if (anchor !== undefined) expect(anchorsOf(target), link).toContain(anchor);
  }
});

test("the documents point to files by the hundred, and a place on the web is named nowhere in package.json", () => {
  expect(files.filter((file) => file.endsWith(".md")).flatMap(targetsOf).length).toBeGreaterThan(100);
  expect(Object.keys(manifest).filter((field) => ["repository", "homepage", "bugs", "funding"].includes(field))).toEqual([]);
});

test("it stays under 1.7 MB packed", () => {
  expect(tarball.length).toBeLessThan(1_700_000);
});

const flatten = (target: string | object): readonly string[] =>
  typeof target === "string" ? [target] : Object.values(target).flatMap(flatten);
const targets = [...Object.values(manifest.exports), manifest.bin].flatMap(flatten).map((target) => target.replace("./", ""));

/** Files that are read by whoever reads one of `entries`, at once or later. */
function reachedBy(entries: readonly string[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    const code = readFileSync(join(path, file), "utf8");
    for (const [, next = ""] of code.matchAll(/(?:\bfrom\s|\bimport\s?\(?)\s*"(\.[^"]+\.js)"/g))
      visit(posix.join(posix.dirname(file), next));
  };
  for (const entry of entries) visit(entry);
  return reached;
}

test("the build holds the declarations of each source, of modules those that an entry reads, each with its map, and nothing else", () => {
  const sources = files.filter((file) => file.startsWith("src/") && !file.endsWith(".d.ts"));
  const declarations = sources.flatMap((file) => {
    const name = file.replace(/^src\/(.*)\.ts$/, "dist/$1");
    return [`${name}.d.ts`, `${name}.d.ts.map`];
  });
  const modules = [...reachedBy(targets.filter((file) => file.endsWith(".js")))].flatMap((file) => [file, `${file}.map`]);
  const forRequire = typesOf(manifest).map(({ require }) => require.replace("./", ""));
  expect(files.filter((file) => file.startsWith("dist/"))).toEqual([...declarations, ...modules, ...forRequire].sort());
  expect(sources.length).toBeGreaterThan(60);
});

test("Node reads few files, and none that the edge reads, so that nothing is there twice in one process", () => {
  const forNode = (file: string) => file.startsWith("dist/node/");
  const modules = targets.filter((file) => file.endsWith(".js"));
  expect([...reachedBy(modules.filter(forNode))].filter((file) => !forNode(file))).toEqual([]);
  expect([...reachedBy(modules.filter((file) => !forNode(file)))].filter(forNode)).toEqual([]);
  for (const [entry, most] of [
    ["warmline", 35],
    ["tcp", 30],
    ["http", 30],
    ["pool", 30],
    ["lambda", 5],
  ] as const)
    expect(reachedBy([`dist/node/${entry}.js`]).size, entry).toBeLessThanOrEqual(most);
});

test("Node's build imports nothing for nothing, which it would read and bundlers warn of", () => {
  const modules = files.filter((file) => /^dist\/node\/.*\.js$/.test(file));
  expect(modules.length).toBeGreaterThan(20);
  expect(modules.filter((file) => /^import "\./m.test(readFileSync(join(path, file), "utf8")))).toEqual([]);
});

test("each entry has the same build for Node, Deno and Bun, behind those of the edge", () => {
  for (const [entry, target] of Object.entries(manifest.exports)) {
    if (typeof target === "string") continue;
    const file = `./dist/node/${entry === "." ? "warmline" : entry.replace("./", "")}.js`;
    const { types: _, ...builds } = target;
    for (const runtime of ["node", "deno", "bun"]) expect(builds[runtime] ?? builds.default, `${entry}, ${runtime}`).toBe(file);
    const conditions = Object.keys(builds).filter((condition) => condition !== "browser" && condition !== "default");
    const special = conditions.filter((condition) => !["node", "deno", "bun"].includes(condition));
    expect(conditions.slice(0, special.length), entry).toEqual(special);
  }
});

test("no test, setting, key or machine's path is in the tarball", () => {
  // the templates of settings hold none
  const others = files.filter((file) => !/^examples\/.*\.example$/.test(file));
  expect(others.filter((file) => /(^|\/)\.|\.(test|spec)\.|\.(pem|key|env|tgz|log|tsbuildinfo)$/.test(file))).toEqual([]);
  const folder = join(import.meta.dirname, "../..");
  expect(files.filter((file) => readFileSync(join(path, file), "utf8").includes(folder))).toEqual([]);
});

test("every file that exports and bin name is in the tarball", () => {
  expect(targets.length).toBeGreaterThan(10);
  for (const target of targets) expect(existsSync(join(path, target)), target).toBe(true);
});

test("each entry has declarations for import, for require, and for resolution that does not know exports", () => {
  const entries = Object.entries(manifest.exports).filter(([, target]) => typeof target !== "string");
  for (const [entry, target] of entries) {
    const { types } = target as Exclude<typeof target, string>;
    expect(types, entry).toEqual({ require: expect.stringMatching(/\.d\.cts$/), default: expect.stringMatching(/\.d\.ts$/) });
    const elsewhere = entry === "." ? manifest.types : manifest.typesVersions["*"]?.[entry.replace("./", "")]?.[0];
    expect(elsewhere, entry).toBe(types.default);
  }
});

test("publint has nothing to say, not even a suggestion", async () => {
  const { messages, pkg } = await publint({
    pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength) as ArrayBuffer },
    strict: true,
  });
  // its declarations for require say CommonJS, and the module is not: that differs for default exports alone, of which there are none
  const said = messages.filter(({ code, path: place }) => code !== "EXPORTS_TYPES_INVALID_FORMAT" || place.at(-1) !== "require");
  expect(said.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test("package.json tells the Node it needs and its peer pg, and runs nothing when it is installed", () => {
  expect(manifest.engines.node).toMatch(/^>=\d+\.\d+$/);
  expect(manifest.peerDependencies.pg).toMatch(/^\^8\.\d+\.\d+$/);
  const hooks = ["preinstall", "install", "postinstall", "prepublish", "prepare"];
  expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
});

test("the sources a map points to travel with it", () => {
  let followed = 0;
  for (const file of files.filter((name) => name.endsWith(".map"))) {
    const { sources } = JSON.parse(readFileSync(join(path, file), "utf8")) as { readonly sources: readonly string[] };
    for (const source of sources) expect(existsSync(join(path, file, "..", source)), `${file} → ${source}`).toBe(true);
    followed += sources.length;
  }
  expect(followed).toBeGreaterThan(files.filter((name) => name.startsWith("src/")).length);
});

test("the conditions of the main entry stand in an order in which the special ones win", () => {
  const conditions = Object.keys(manifest.exports["."] as object);
  const wanted = ["types", "workerd", "edge-light", "worker", "deno", "bun", "node", "browser", "default"];
  expect(conditions).toEqual(wanted);
});
