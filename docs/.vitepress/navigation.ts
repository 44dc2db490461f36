import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DefaultTheme } from "vitepress";

/** What is found where: groups of pages by their paths, in reading order. A page that is not there is left out. */
const groups: Readonly<Record<string, readonly string[]>> = {
  "Start on": [
    "start/node",
    "start/lambda",
    "start/workers-http",
    "start/workers-hyperdrive",
    "start/vercel",
    "start/nextjs",
    "start/netlify",
    "start/bun",
    "start/deno",
    "start/containers",
  ],
  "Connect to": [
    "connect/index",
    "connect/neon",
    "connect/supabase",
    "connect/rds",
    "connect/dsql",
    "connect/planetscale",
    "connect/netlify-db",
    "connect/vercel",
    "connect/fly",
    "connect/railway",
    "connect/render",
    "connect/heroku",
    "connect/azure",
    "connect/cloud-sql",
    "connect/crunchy",
    "connect/others",
    "connect/pgbouncer",
  ],
  Queries: ["queries", "composing", "types", "batches", "transactions", "sessions", "streams", "row-level-security", "listening"],
  "When it fails": ["fates", "errors", "messages", "doctor"],
  "Move from": ["moving/pg", "moving/postgres-js", "moving/neon", "moving/hyperdrive-pg", "moving/prisma"],
  ORMs: ["orms", "pool", "examples/drizzle", "examples/kysely", "examples/prisma", "examples/next"],
  Operate: ["operating", "observability", "dashboard", "scale", "keep", "examples/keep", "migrations", "security"],
  Test: ["testing", "endpoint", "faults"],
  Platforms: ["lambda", "workers", "vercel", "next", "deno", "dsql", "infra"],
  Reference: ["settings", "api/index", "compare", "results", "changelog"],
  "How it is built": ["architecture", "internals", "contributing", "decisions/index"],
};

const folder = join(import.meta.dirname, "pages");
const linkOf = (page: string) => `/${page.replace(/(^|\/)index$/, "$1")}`;

/** The first heading of a page, without marks. */
function titleOf(page: string): string {
  const text = readFileSync(join(folder, `${page}.md`), "utf8");
  return (/^# (.*)$/m.exec(text)?.[1] ?? page).replace(/[`*]/g, "").replaceAll("\\", "");
}

const items = (pages: readonly string[]): DefaultTheme.SidebarItem[] => pages.map((page) => ({ text: titleOf(page), link: linkOf(page) }));

const within = (place: string): string[] =>
  readdirSync(join(folder, place), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && file !== "index.md")
    .map((file) => join(place, file.replace(/\.md$/, "")))
    .sort();

/** The sidebar: the groups, what no group names, and within the reference and the decisions each page of theirs. */
export function sidebar(): DefaultTheme.SidebarItem[] {
  const grouped = new Set(Object.values(groups).flat());
  const others = within("").filter((page) => !grouped.has(page) && !/^(api|decisions)\/|^readme$/.test(page));
  return Object.entries({ ...groups, More: others })
    .map(([text, pages]) => {
      const there = pages.filter((page) => existsSync(join(folder, `${page}.md`)));
      return { text, collapsed: text !== "Start on", items: items(there).map((item) => ({ ...item, ...inner(item.link ?? "") })) };
    })
    .filter((group) => group.items.length > 0);
}

function inner(link: string): Pick<DefaultTheme.SidebarItem, "items" | "collapsed"> {
  if (link !== "/api/" && link !== "/decisions/") return {};
  return { collapsed: true, items: items(within(link.replaceAll("/", ""))) };
}
