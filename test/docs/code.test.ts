import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { type Block, blocks, root } from "./blocks.ts";

const folder = mkdtempSync(join(tmpdir(), "warmline-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A block, or the part of one that stands under the name of a file: `// lib/database.ts`, with a colon and words behind it or not. */
interface Piece extends Block {
  /** Its file, without the document's folder. */
  readonly file: string;
}

const named = /^\/\/ ([\w./-]+\.tsx?)(?::.*)?$/;

function piecesOf(block: Block): readonly Piece[] {
  const lines = block.code.split("\n");
  const starts = lines.flatMap((line, at) => (at === 0 || named.test(line) ? at : []));
  return starts.map((start, at) => {
    const file = named.exec(lines[start] ?? "")?.[1] ?? `block-${block.line}.${block.language}`;
    return { ...block, line: block.line + start, file, code: lines.slice(start, starts[at + 1]).join("\n") };
  });
}

const pieces = blocks.filter(({ language }) => /^[jt]sx?$/.test(language)).flatMap(piecesOf);
const pathOf = ({ document, file }: Piece) => join(document.replaceAll("/", "_"), file);

/** Each entry of the package, and its source. */
const entries = Object.fromEntries(
  Object.entries(manifest.exports).flatMap(([entry, target]) =>
    typeof target === "string"
      ? []
      : [[`warmline${entry.slice(1)}`, [join(root, target.types.default.replace("./dist/", "src/").replace(".d.ts", ".ts"))]]],
  ),
);

/** Compiles all pieces at once, each as a module of its own, beside what they take for granted. What the compiler says, by the path of a piece. */
function compile(): ReadonlyMap<string, readonly string[]> {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  for (const piece of pieces) {
    const path = join(folder, pathOf(piece));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${piece.code}\nexport {};\n`);
  }
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.json"),
      compilerOptions: {
        module: "preserve",
        moduleResolution: "bundler",
        allowJs: true,
        jsx: "preserve",
        // as readers have it
        exactOptionalPropertyTypes: false,
        noUnusedLocals: false,
        noUnusedParameters: false,
        noUncheckedIndexedAccess: false,
        paths: entries,
        typeRoots: [join(root, "node_modules/@types")],
      },
      include: [folder, join(root, "test/docs/*.d.ts")],
      exclude: [],
    }),
  );
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout, error } = spawnSync(tsc, ["-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  if (error !== undefined) throw error;
  const said = new Map<string, string[]>();
  for (const line of stdout.split(/\n(?! )/).filter(Boolean)) {
    const [, path = "", at = "0", words = line] = /^(.*?)\((\d+),\d+\): ([\s\S]*)$/.exec(line) ?? [];
    said.set(path, [...(said.get(path) ?? []), `${at}: ${words}`]);
  }
  return said;
}

const said = compile();

describe("every block of code is what a compiler takes", () => {
  test.each(pieces.map((piece) => [`${piece.document}:${piece.line}`, piece] as const))("%s", (_, piece) => {
    const errors = said.get(pathOf(piece)) ?? [];
    if (piece.mark === "wrong") expect(errors).not.toEqual([]);
    else expect(errors).toEqual([]);
  });

  test("nothing is wrong beside them", () => {
    const own = new Set(pieces.map(pathOf));
    expect([...said].filter(([path]) => !own.has(path))).toEqual([]);
  });
});
