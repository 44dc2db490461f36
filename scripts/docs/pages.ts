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
  "examples/drizzle/README.md": "examples/drizzle.md",
  "examples/kysely/README.md": "examples/kysely.md",
  "examples/next/README.md": "examples/next.md",
  "examples/prisma/README.md": "examples/prisma.md",
};

/** Every document by its path in the repository, and the page that it becomes. */
export async function pagesOf(root: string): Promise<ReadonlyMap<string, string>> {
  const files = await readdir(join(root, "docs"), { recursive: true });
  const own = files.filter((file) => file.endsWith(".md") && !file.startsWith(".vitepress")).sort();
  return new Map([...own.map((file) => [`docs/${file}`, file] as const), ...Object.entries(elsewhere)]);
}

/**
 * The text of a document as a page: links lead to pages, and what is no page is named without a link. Whether what a link names is there at
 * all is held by `test/package/contents.test.ts`.
 */
export function asPage(text: string, document: string, pages: ReadonlyMap<string, string>): string {
  const from = posix.dirname(pages.get(document) ?? "");
  return outsideCode(text, (prose) =>
    prose.replace(/(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!\w+:)([^)#\s]*)(#[^)\s]*)?\)/g, (whole, image, words, path, anchor = "") => {
      if (path === "") return whole;
      const target = posix.join(posix.dirname(document), path);
      const page = pages.get(target) ?? pages.get(`${target.replace(/\/$/, "")}/README.md`);
      if (page !== undefined) return `${image}[${words}](${relative(from, page)}${anchor})`;
      if (image !== "") return `![${words}](${relative(from, posix.basename(target))})`;
      return words === `\`${path}\`` ? words : `${words} (\`${target}\`)`;
    }),
  );
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

/** Puts rows of the benchmark's table where a page asks for them: `<!-- rows of bench/RESULTS.md: first words | first words -->`. */
export async function withMeasuredRows(text: string, root: string): Promise<string> {
  if (!text.includes("<!-- rows of bench/RESULTS.md:")) return text;
  const lines = (await readFile(join(root, "bench/RESULTS.md"), "utf8")).split("\n");
  const measured = lines.find((line) => /^\d{4}-\d\d-\d\d, /.test(line)) ?? "";
  const rows = lines.filter((line) => line.startsWith("| "));
  return text.replace(/<!-- rows of bench\/RESULTS\.md: (.*?) -->/g, (_, wanted: string) => {
    const found = wanted.split(" | ").map((words) => {
      const row = rows.find((one) => one.startsWith(`| ${words}`));
      if (row === undefined) throw new Error(`bench/RESULTS.md has no row that begins with "${words}".`);
      return row;
    });
    return [`Measured ${measured}`, "", rows[0], "|---|---|---|---|---|---|---|", ...found].join("\n");
  });
}
