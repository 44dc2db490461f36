import type { Files } from "./workplace.ts";

/** A module that makes a pool, or a database of Neon's HTTP driver, and one that uses it: how each is written in either language of modules. */
interface Way {
  /** Files that lead from where it is made to `src/use`, by `made`, an expression. */
  readonly files: (made: string, imports: string) => Files;
  /** How the user names it. */
  readonly uses: string;
  /** What brings it there. */
  readonly brings: string;
}

const chain = (last: string): Files => ({ "src/index.ts": last, "src/middle.ts": 'export * from "./made";' });

const ways: Readonly<Record<string, Way>> = {
  "by name": {
    files: (made, imports) => ({ "src/made.ts": `${imports}export const held = ${made};` }),
    brings: 'import { held } from "./made.js";',
    uses: "held",
  },
  "by another name": {
    files: (made, imports) => ({ "src/made.ts": `${imports}const own = ${made}; export { own as held };` }),
    brings: 'import { held as mine } from "./made";',
    uses: "mine",
  },
  "as the default": {
    files: (made, imports) => ({ "src/made.ts": `${imports}const own = ${made}; export default own;` }),
    brings: 'import mine from "@/made";',
    uses: "mine",
  },
  "as the default, made there": {
    files: (made, imports) => ({ "src/made.ts": `${imports}export default ${made};` }),
    brings: 'import mine from "./made";',
    uses: "mine",
  },
  "kept on globalThis": {
    files: (made, imports) => ({
      "src/made.ts": `${imports}const g = globalThis as any; export const held = g.held ?? (g.held = ${made});`,
    }),
    brings: 'import { held } from "./made";',
    uses: "held",
  },
  "exported anew by name": {
    files: (made, imports) => ({
      "src/made.ts": `${imports}export const own = ${made};`,
      "src/index.ts": 'export { own as held } from "./made";',
    }),
    brings: 'import { held } from "./index";',
    uses: "held",
  },
  "exported anew with all else, twice": {
    files: (made, imports) => ({ "src/made.ts": `${imports}export const held = ${made};`, ...chain('export * from "./middle";') }),
    brings: 'import { held } from ".";',
    uses: "held",
  },
  "exported anew as a namespace": {
    files: (made, imports) => ({
      "src/made.ts": `${imports}export const held = ${made};`,
      "src/index.ts": 'export * as db from "./made";',
    }),
    brings: 'import { db } from "./index"; const { held } = db;',
    uses: "db.held",
  },
  "imported, and exported anew": {
    files: (made, imports) => ({
      "src/made.ts": `${imports}export default ${made};`,
      "src/index.ts": 'import held from "./made";\nexport { held };',
    }),
    brings: 'import { held } from "./index";',
    uses: "held",
  },
  "in a circle": {
    files: (made, imports) => ({
      "src/made.ts": `${imports}export * from "./index"; export const held = ${made};`,
      "src/index.ts": 'export * from "./made";',
    }),
    brings: 'import { held } from "./index";',
    uses: "held",
  },
  "of a namespace": {
    files: (made, imports) => ({ "src/made.ts": `${imports}export const held = ${made};` }),
    brings: 'import * as db from "./made";',
    uses: "db.held",
  },
  "in an object": {
    files: (made, imports) => ({ "src/made.ts": `${imports}export const db = { held: ${made} };` }),
    brings: 'import { db } from "./made";',
    uses: "db.held",
  },
  "by module.exports": {
    files: (made, imports) => ({ "src/made.js": `${imports}module.exports = ${made};` }),
    brings: 'const held = require("./made");',
    uses: "held",
  },
  "by a name of module.exports": {
    files: (made, imports) => ({ "src/made.js": `${imports}const held = ${made}; module.exports = { held };` }),
    brings: 'const { held } = require("./made");',
    uses: "held",
  },
  "by a member of what is required": {
    files: (made, imports) => ({ "src/made.js": `${imports}exports.held = ${made};` }),
    brings: 'const db = require("./made");',
    uses: "db.held",
  },
  "by module.exports of another": {
    files: (made, imports) => ({
      "src/made.js": `${imports}module.exports = { pool: ${made} };`,
      "src/index.js": 'module.exports = require("./made");',
    }),
    brings: 'const { pool } = require("./index");',
    uses: "pool",
  },
};

const made = {
  "connect-without-release": ['import { Pool } from "pg";\n', 'const { Pool } = require("pg");\n', "new Pool()"],
  "transaction-over-neon-http": [
    'import { drizzle } from "drizzle-orm/neon-http";\n',
    'const { drizzle } = require("drizzle-orm/neon-http");\n',
    "drizzle(url)",
  ],
} as const;

/** Each way with a fault of each rule, and where it is to be found. */
export const acrossFiles: readonly (readonly [rule: string, way: string, files: Files, at: string])[] = Object.entries(ways).flatMap(
  ([way, { files, brings, uses }]) =>
    Object.entries(made).map(([rule, [imports, requires, expression]]) => {
      const ending = brings.includes("require(") ? "js" : "ts";
      const use =
        rule === "connect-without-release"
          ? `async function use() { const client = await ${uses}.connect(); await client.query("select 1"); }`
          : `const use = () => ${uses}.transaction(async (tx) => tx.select());`;
      const at = `src/use.${ending}`;
      return [rule, way, { ...files(expression, ending === "js" ? requires : imports), [at]: `${brings}\n${use}\n` }, `${at}:2`] as const;
    }),
);
