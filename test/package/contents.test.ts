import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { expect, test } from "vitest";
import { installPackage } from "./installed-package.ts";

const { files, manifest, path, tarball } = installPackage();

test("the tarball holds the build, its source and four documents, and nothing else", () => {
  const tops = new Set(files.map((file) => file.split("/")[0]));
  expect([...tops].sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"]);
});

test("the build holds one module, one declaration and their maps for each source, and nothing else", () => {
  const sources = files.filter((file) => file.startsWith("src/") && !file.endsWith(".d.ts"));
  const expected = sources.flatMap((file) => {
    const name = file.replace(/^src\/(.*)\.ts$/, "dist/$1");
    return [`${name}.js`, `${name}.js.map`, `${name}.d.ts`, `${name}.d.ts.map`];
  });
  expect(files.filter((file) => file.startsWith("dist/"))).toEqual(expected.sort());
  expect(sources.length).toBeGreaterThan(60);
});

test("no test, setting, key or machine's path is in the tarball", () => {
  expect(files.filter((file) => /(^|\/)\.|\.(test|spec)\.|\.(pem|key|env|tgz|log|tsbuildinfo)$/.test(file))).toEqual([]);
  const folder = join(import.meta.dirname, "../..");
  expect(files.filter((file) => readFileSync(join(path, file), "utf8").includes(folder))).toEqual([]);
});

test("every file that exports and bin name is in the tarball", () => {
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === "string" ? [target] : Object.values(target)));
  expect(targets.length).toBeGreaterThan(10);
  for (const target of [...targets, ...Object.values(manifest.bin)]) expect(existsSync(join(path, target)), target).toBe(true);
});

test("publint has nothing to say, not even a suggestion", async () => {
  const { messages, pkg } = await publint({
    pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.byteLength) as ArrayBuffer },
    strict: true,
  });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
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
