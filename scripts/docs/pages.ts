import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, posix } from "node:path";

/** Documents outside of docs/ that are pages of the handbook, too. */
const elsewhere: Readonly<Record<string, string>> = {
  "CHANGELOG.md": "changelog.md",
  "CONTRIBUTING.md": "contributing.md",
  "README.md": "readme.md",
  "SECURITY.md": "security.md",
  "bench/RESULTS.md": "results.md",
  "infra/README.md": "infra.md",
};

/** Where documents are, and what becomes of them. */
interface Places {
  /** Of the repository. */
  readonly root: string;
  /** Of `pagesOf`. */
  readonly pages: ReadonlyMap<string, string>;
}

/** Every document by its path in the repository, and the page that it becomes. */
export async function pagesOf(root: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(join(root, "docs"), { recursive: true });
  const own = files.filter((file) => file.endsWith(".md") && !file.startsWith(".vitepress")).sort();
  const examples = (await readdir(join(root, "examples")))
    .filter((name) => existsSync(join(root, "examples", name, "README.md")))
    .map((name) => [`examples/${name}/README.md`, `examples/${name}.md`] as const);
  return new Map([...own.map((file) => [`docs/${file}`, file] as const), ...examples, ...Object.entries(elsewhere)]);
}

/**
 * The text of a document as a page: links lead to pages, and a file that is no page is named without a link. Headings that links name are held
 * by `test/package/contents.test.ts`.
 *
 * @throws Error for a link to what is not there
 */
export function asPage(text: string, document: string, { root, pages }: Places): string {
  const from = posix.dirname(pages.get(document) ?? "");
  return outsideCode(text, (prose) =>
    prose.replace(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)/g, (whole, image, words, path, anchor = "") => {
      if (path === "") return whole;
      const target = posix.join(posix.dirname(document), path);
      const page = pages.get(target) ?? pages.get(`${target.replace(/\/$/, "")}/README.md`);
      if (!existsSync(join(root, target))) throw new Error(`${document} points to ${path}, which is not there.`);
      if (page !== undefined) return `${image}[${words}](${relative(from, page)}${anchor})`;
      if (image !== "") return `![${words}](${relative(from, posix.basename(target))})`;
      return words === `\`${path}\`` ? words : `${words} (\`${target}\`)`;
    }),
  );
}

/** The pictures of this repository that a document shows, by their paths in it. `asPage` looks for each beside the first page. */
export function picturesOf(text: string, document: string): string[] {
  return [...text.matchAll(/!\[[^\]]*\]\((?!\w+:)([^)#\s]+)\)/g)].map(([, path = ""]) => posix.join(posix.dirname(document), path));
}

function relative(from: string, page: string): string {
  const path = posix.relative(from, page);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Changes what stands outside of fences, and of code within a line. */
function outsideCode(text: string, change: (prose: string) => string): string {
  return text
    .split(/(^```[\s\S]*?^```$)/m)
    .map((part, at) => (at % 2 === 1 ? part : change(part)))
    .join("");
}

/**
 * Puts figures of the benchmark where a page asks for them: `<!-- run of bench/RESULTS.md -->` is when and where it was measured,
 * `<!-- rows of bench/RESULTS.md: first words | first words -->` a table of rows, without their limits.
 */
export async function withMeasuredRows(text: string, root: string): Promise<string> {
  if (!text.includes("of bench/RESULTS.md")) return text;
  const lines = (await readFile(join(root, "bench/RESULTS.md"), "utf8")).split("\n");
  const rows = lines.filter((line) => line.startsWith("| ")).map((line) => line.slice(2, -2).split(" | "));
  const begins = lines.findIndex((line) => /^\d{4}-\d\d-\d\d, /.test(line));
  const find = (words: string) => {
    const row = rows.find(([what = ""]) => what.startsWith(words));
    if (row === undefined) throw new Error(`bench/RESULTS.md has no row that begins with "${words}".`);
    const [what, unit, ours, peers, ratio] = row;
    return `| ${what}, ${unit} | ${ours} | ${peers} | ${ratio} |`;
  };
  return text
    .replace("<!-- run of bench/RESULTS.md -->", lines.slice(begins, begins + 2).join("\n"))
    .replace(/<!-- rows of bench\/RESULTS\.md: (.*?) -->/g, (_, wanted: string) =>
      ["| what | warmline | others | to the best of them |", "|---|---|---|---|", ...wanted.split(" | ").map(find)].join("\n"),
    );
}

/** A page that lists the decisions by their titles, newest first. */
export async function listOfDecisions(pages: string): Promise<string> {
  const files = (await readdir(join(pages, "decisions"))).filter((file) => /^\d/.test(file)).sort();
  const titles = await Promise.all(
    files.map(async (file) => `- [${/^# (.*)$/m.exec(await readFile(join(pages, "decisions", file), "utf8"))?.[1]}](./${file})`),
  );
  return `# Decisions\n\nWhat was chosen, why, and what was not taken: a page for each.\n\n${titles.reverse().join("\n")}\n`;
}
