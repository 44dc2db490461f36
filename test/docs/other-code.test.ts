import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { parse as parseToml } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { openDirect, urlAt } from "../core/databases.ts";
import { type Block, blocks } from "./blocks.ts";

const at = ({ document, line }: Block) => `${document}:${line}`;
const of = (...languages: readonly string[]) =>
  blocks.filter(({ language }) => languages.includes(language)).map((block) => [at(block), block] as const);

/** What has a check of its own: a compiler reads the first, the build draws the second, and plain text is none. */
const elsewhere = ["ts", "js", "tsx", "mermaid", ""];
const here = ["sh", "sql", "yaml", "toml", "ini", "json"];

test("every language of a block has a check", () => {
  expect([...new Set(blocks.map(({ language }) => language))].filter((one) => ![...elsewhere, ...here].includes(one))).toEqual([]);
});

describe("every block is what its language takes", () => {
  test("a shell reads all commands", () => {
    for (const [place, { code }] of of("sh")) {
      const { status, stderr } = spawnSync("sh", ["-n"], { input: code, encoding: "utf8" });
      expect(`${status} ${stderr}`, place).toBe("0 ");
    }
  });

  test.each(of("yaml"))("%s", (_, { code }) => {
    expect(parseYaml(code)).toBeTypeOf("object");
  });

  test.each(of("toml"))("%s", (_, { code }) => {
    expect(parseToml(code)).toBeTypeOf("object");
  });

  test.each(of("ini"))("%s", (_, { code }) => {
    for (const line of code.split("\n").filter(Boolean)) expect(line).toMatch(/^(\[\w+\]|\w+ = \S.*)$/);
  });

  test.each(of("json"))("%s", (_, { code }) => {
    expect(JSON.parse(code)).toBeTypeOf("object");
  });

  // those of row-level security depend on one another, and have a test of their own: test/security/tenants.test.ts
  const statements = of("sql").filter(([, { document }]) => document !== "docs/row-level-security.md");
  test.each(statements)("a server runs %s", async (_, { code }) => {
    await using direct = await openDirect(urlAt());
    const name = `docs_${randomUUID().slice(0, 8)}`;
    await direct.query(`begin; create schema ${name}; set local search_path = ${name}`);
    await direct.query(code.replaceAll(/\bapp\b/g, name).replaceAll("'…'", "'secret'"));
    await direct.query("rollback");
  });
});
