// `npm run docs`: the handbook as a site, docs/.vitepress/dist. `-- --serve` serves it then on this machine.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { npm } from "../package/tools.ts";
import { asPage, listOfDecisions, pagesOf, picturesOf, withMeasuredRows } from "./pages.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const site = join(root, "docs/.vitepress");
const pages = join(site, "pages");
const { serve = false } = parseArgs({ options: { serve: { type: "boolean" } } }).values;

await install();
await rm(pages, { recursive: true, force: true });
await stage();
await reference();
await vitepress("build");
await judge();
console.log("The handbook is in docs/.vitepress/dist, with llms.txt and a Markdown file for each page.");
if (serve) await vitepress("preview");

/** Installs the site's own packages where its lock file is not what is installed. */
async function install(): Promise<void> {
  const [lock, installed] = await Promise.all(
    ["package-lock.json", "node_modules/.package-lock.json"].map((name) => modified(join(site, name))),
  );
  if ((installed ?? 0) < (lock ?? 0)) await npm(site, "ci");
}

async function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}

/** Writes every document as the page that it becomes. */
async function stage(): Promise<void> {
  const all = await pagesOf(root);
  for (const [document, page] of all) {
    const written = await readFile(join(root, document), "utf8");
    const text = await withMeasuredRows(asPage(written, document, { root, pages: all }), root);
    await mkdir(dirname(join(pages, page)), { recursive: true });
    await writeFile(join(pages, page), isPast(page) ? `---\nsearch: false\n---\n\n${text}` : text);
    for (const picture of picturesOf(written, document)) await copyFile(join(root, picture), join(pages, basename(picture)));
  }
  await writeFile(join(pages, "decisions/index.md"), await listOfDecisions(pages));
}

/** What was, or stands elsewhere too: a search would find it before what is. */
function isPast(page: string): boolean {
  return /^(changelog|readme|decisions\/.*)\.md$/.test(page);
}

/** Writes the reference of every entry from its doc comments; an exported name without one fails the build. */
async function reference(): Promise<void> {
  await run(process.execPath, [join(site, "node_modules/typedoc/bin/typedoc"), "--options", join(site, "typedoc.js")], { cwd: root }).catch(
    ({ stdout, stderr }) => {
      throw new Error(`The reference could not be made:\n${stdout}${stderr}`);
    },
  );
}

/** What a reader, or a reader's program, has to find: each page as HTML and as Markdown, the list of them, search; and nothing asked of others. */
async function judge(): Promise<void> {
  const made = new Set(await readdir(join(site, "dist"), { recursive: true }));
  // of the first page llms.txt is the Markdown
  const asMarkdown = (page: string) => (page === "index.md" ? "llms.txt" : page.replace("/index.md", ".md"));
  const wanted = [...(await pagesOf(root)).values()].flatMap((page) => [page.replace(/md$/, "html"), asMarkdown(page)]);
  const missing = [...wanted, "llms-full.txt", "api/warmline.html", "decisions/index.html"].filter((file) => !made.has(file));
  if (missing.length > 0) throw new Error(`The handbook lacks ${missing.join(", ")}.`);
  if (![...made].some((file) => /localSearchIndex/i.test(file))) throw new Error("The handbook has no index to search in.");
  for (const file of [...made].filter((name) => /\.(html|css)$/.test(name))) {
    const text = await readFile(join(site, "dist", file), "utf8");
    const asked = /<(?:script|img|link)[^>]+(?:src|href)="https?:[^"]*"|@import|url\(["']?https?:/.exec(text);
    if (asked) throw new Error(`${file} asks another site: ${asked[0]}`);
  }
}

async function vitepress(command: "build" | "preview"): Promise<void> {
  const quiet = command === "build";
  const args = [join(site, "node_modules/vitepress/bin/vitepress.js"), command, "docs"];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => (said += part));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`vitepress ${command} ended with ${code}:\n${said}`);
}
