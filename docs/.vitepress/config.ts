import { existsSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitepress";
import llmstxt from "vitepress-plugin-llms";
import { drawMermaid } from "./mermaid.ts";
import { sidebar } from "./navigation.ts";

const there = (page: string) => existsSync(join(import.meta.dirname, "pages", `${page}.md`));

/** The handbook. Its pages are written by `npm run docs` from the documents of this repository: scripts/docs. */
export default defineConfig({
  title: "warmline",
  description: "One Postgres client for every serverless runtime.",
  lang: "en",
  srcDir: ".vitepress/pages",
  cleanUrls: true,
  head: [["link", { rel: "icon", href: "data:," }]],
  lastUpdated: false,
  // a link to nowhere fails the build
  ignoreDeadLinks: false,
  markdown: {
    // of the light ones that has enough contrast
    theme: { light: "github-light-default", dark: "github-dark" },
    config: drawMermaid,
    // as GitHub and npm make them, so that a link works in every place a document is read in
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
    },
    languageAlias: { mermaid: "text" },
  },
  vite: { plugins: [llmstxt()], publicDir: false },
  themeConfig: {
    search: { provider: "local", options: { detailedView: true } },
    sidebar: sidebar(),
    nav: [
      { text: "Start", link: "/start/node", activeMatch: "^/start/" },
      { text: "Errors", link: "/messages", activeMatch: "^/(messages|errors|fates)" },
      { text: "Settings", link: "/settings" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
    ].filter(({ link }) => there(link.slice(1).replace(/\/$/, "/index"))),
    outline: { level: [2, 3] },
    docFooter: { prev: false, next: false },
  },
});
