import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ground, type Problem, printed } from "./ground.ts";

/** The ways to run a program that are not \`run\`: compiled, under the runtime's test runner, and loaded again while it runs. */
export async function checkOtherWays(ground: Ground): Promise<readonly Problem[]> {
  const folder = join(ground.project, "ways");
  await mkdir(folder, { recursive: true });
  const bun = join(ground.tools, "@oven/bun-linux-x64/bin/bun");
  const deno = join(ground.tools, "@deno/linux-x64-glibc/deno");
  const ask =
    'import { createDatabase } from "warmline";\nconst ask = async () => { await using db = createDatabase(); return (await db.sql`select 1 as one`)[0].one; };\n';
  const files = {
    "main.mjs": `${ask}console.log("one", await ask());\n`,
    "bun.test.mjs": `${ask}import { expect, test } from "bun:test";\ntest("asks", async () => expect(await ask()).toBe(1));\n`,
    "deno_test.mjs": `${ask}Deno.test("asks", async () => { if ((await ask()) !== 1) throw new Error("It is not one."); });\n`,
    "hot.mjs": hot(ground.url),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const file = (name: string) => join(folder, name);
  const compiled = file("compiled");
  const ways: readonly (readonly [name: string, command: string, args: readonly string[], says: RegExp])[] = [
    ["bun build --compile", bun, ["build", "--compile", "--outfile", compiled, file("main.mjs")], /compile/],
    ["what it compiled", compiled, [], /^one 1$/m],
    ["bun test", bun, ["test", file("bun.test.mjs")], /1 pass/],
    ["deno test", deno, ["test", "-A", "--no-remote", "--node-modules-dir=manual", file("deno_test.mjs")], /1 passed/],
    ["bun --hot", bun, ["--hot", "run", "--no-install", file("hot.mjs")], /^asked 1, 2, 3; at most 2$/m],
  ];
  const problems: Problem[] = [];
  for (const [name, command, args, says] of ways) {
    const said = await printed(ground, command, args, file("main.mjs"));
    if (!says.test(said)) problems.push(`${name}: ${said}`);
  }
  return problems;
}

/** A program that edits itself twice, as its password function is edited: each is asked, within the room of one pool. */
function hot(url: string): string {
  const { password } = new URL(url);
  const open = new URL(url);
  open.password = "";
  return `
import { readFile, writeFile } from "node:fs/promises";
import { createDatabase } from "warmline";
const edit = 1;
const asked = (globalThis.asked ??= []);
const password = () => {
  asked.push(edit);
  return ${JSON.stringify(password)};
};
const db = createDatabase({ url: ${JSON.stringify(open.href)}, password, max: 2, applicationName: "hot" });
await db.sql\`select 1\`;
if (edit < 3) {
  const own = new URL(import.meta.url).pathname;
  await writeFile(own, (await readFile(own, "utf8")).replace(/const edit = \\d/, "const edit = " + (edit + 1)));
} else {
  const [{ backends }] = await db.sql\`select count(*)::int as backends from pg_stat_activity where application_name = 'hot'\`;
  console.log("asked " + asked.join(", ") + "; at most " + (backends <= 2 ? 2 : backends));
  process.exit();
}
setTimeout(() => process.exit(), 20_000);
`;
}
