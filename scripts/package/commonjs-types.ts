import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly types: { readonly require: string; readonly default: string } }>>;
}

/**
 * Writes beside the declarations of each entry those that `require` is answered with. Node requires ES modules; TypeScript under 5.8, and any
 * with `module` node16 or node18, refuses to as long as a declaration says that it is one (TS1479). These say the same of the same things.
 */
export async function writeCommonJsTypes(): Promise<void> {
  const { name, exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === "string" ? [] : [{ entry, types: target.types }],
  );
  await Promise.all(
    entries.map(async ({ entry, types }) => {
      const values = (await import(entry.replace(/^\./, name))) as Readonly<Record<string, unknown>>;
      await writeFile(join(root, types.require), declarationOf(`./${basename(types.default, ".d.ts")}.js`, values));
    }),
  );
}

function declarationOf(module: string, values: Readonly<Record<string, unknown>>): string {
  const from = `from "${module}" with { "resolution-mode": "import" };`;
  const lines = Object.entries(values).flatMap(([name, value]) => [
    `export declare const ${name}: typeof esm.${name};`,
    ...(isClass(value) ? [`export type ${name} = esm.${name};`] : []),
  ]);
  return `${[`import type * as esm ${from}`, `export type * ${from}`, ...lines].join("\n")}\n`;
}

/** Whether a name is that of a type, too. */
function isClass(value: unknown): boolean {
  return typeof value === "function" && Function.prototype.toString.call(value).startsWith("class");
}
