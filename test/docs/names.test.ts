import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { settingNames } from "../../src/decide/check.ts";
import { documents, read, root } from "./blocks.ts";

const capitals = /`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)`/g;
const codes = new Set([...read("docs/errors.md").matchAll(capitals)].map(([, code]) => code));

/** What looks like a code of this package, and is a variable or somebody else's. */
const others =
  /^(PG|DATABASE_|DIRECT_URL|WARMLINE_|AWS_|NODE_|NETLIFY_|POSTGRES_|NEON_|VERCEL|DENO_|FUNCTIONS_|K_SERVICE|K_|DB_|API_|NO_COLOR|EAI_|UND_ERR|ERR_|READ_|DEPTH_|SELF_SIGNED|UNABLE_TO|REPEATABLE|EXTRA_|MAX_|HYPERDRIVE|PROTOCOL_|MYSQL_)/;

test.each(documents.filter((document) => !document.startsWith("docs/decisions/")))("every code that %s names is one", (document) => {
  const named = [...read(document).matchAll(capitals)].map(([, code = ""]) => code);
  expect(named.filter((code) => !codes.has(code) && !others.test(code))).toEqual([]);
});

test("every code that is given to an error is told of", () => {
  const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const given = files.flatMap((file) =>
    [...readFileSync(join(root, "src", file), "utf8").matchAll(/\bcode: "([A-Z]+(?:_[A-Z]+)*)"/g)].map(([, code = ""]) => code),
  );
  expect(given.length).toBeGreaterThan(80);
  const alone = new Set([...read("docs/errors.md").matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  expect([...new Set(given)].filter((code) => !alone.has(code))).toEqual([]);
});

test("every setting has its place in the handbook", () => {
  const text = read("docs/settings.md");
  expect(settingNames.filter((name) => !text.includes(`| \`${name}\` |`))).toEqual([]);
});

test.each(documents.filter((document) => document.startsWith("docs/start/")))(
  "%s stays under one screen and says what goes wrong first",
  (document) => {
    const text = read(document);
    expect(text.split("\n").length).toBeLessThan(75);
    expect(text).toMatch(/^```sh\n[^`]*\b(npm install|bun add|deno add)/m);
    expect(text).toContain("## What goes wrong first");
  },
);
