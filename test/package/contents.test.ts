import { existsSync, readdirSync, readFileSync } from "node:fs";
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

test("it stays under 1.6 MB packed", () => {
  expect(tarball.length).toBeLessThan(1_600_000);
});

test("the build holds one module, one declaration and their maps for each source, one for require for each entry, and nothing else", () => {
  const sources = files.filter((file) => file.startsWith("src/") && !file.endsWith(".d.ts"));
  const expected = sources.flatMap((file) => {
    const name = file.replace(/^src\/(.*)\.ts$/, "dist/$1");
    return [`${name}.js`, `${name}.js.map`, `${name}.d.ts`, `${name}.d.ts.map`];
  });
  const forRequire = typesOf(manifest).map(({ require }) => require.replace("./", ""));
  expect(files.filter((file) => file.startsWith("dist/"))).toEqual([...expected, ...forRequire].sort());
  expect(sources.length).toBeGreaterThan(60);
});

test("no test, setting, key or machine's path is in the tarball", () => {
  // the templates of settings hold none
  const others = files.filter((file) => !/^examples\/.*\.example$/.test(file));
  expect(others.filter((file) => /(^|\/)\.|\.(test|spec)\.|\.(pem|key|env|tgz|log|tsbuildinfo)$/.test(file))).toEqual([]);
  const folder = join(import.meta.dirname, "../..");
  expect(files.filter((file) => readFileSync(join(path, file), "utf8").includes(folder))).toEqual([]);
});

test("every file that exports and bin name is in the tarball", () => {
  const flatten = (target: string | object): readonly string[] =>
    typeof target === "string" ? [target] : Object.values(target).flatMap(flatten);
  const targets = flatten(manifest.exports);
  expect(targets.length).toBeGreaterThan(10);
  for (const target of [...targets, ...Object.values(manifest.bin)]) expect(existsSync(join(path, target)), target).toBe(true);
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
  for (const file of files.filter((name) => name.endsWith(".map"))) {
    const { sources } = JSON.parse(readFileSync(join(path, file), "utf8")) as { readonly sources: readonly string[] };
    expect(sources.length).toBeGreaterThan(0);
    for (const source of sources) expect(existsSync(join(path, file, "..", source)), `${file} → ${source}`).toBe(true);
  }
});

test("the conditions of the main entry stand in an order in which the special ones win", () => {
  const conditions = Object.keys(manifest.exports["."] as object);
  const wanted = ["types", "workerd", "edge-light", "worker", "deno", "bun", "node", "browser", "default"];
  expect(conditions).toEqual(wanted);
  expect(readdirSync(join(path, "dist/entry"))).toEqual(expect.arrayContaining(["node.js", "workerd.js", "edge.js"]));
});
