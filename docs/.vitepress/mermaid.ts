import { renderMermaidSVG } from "beautiful-mermaid";
import type { MarkdownRenderer } from "vitepress";

/** Draws fences of Mermaid while the site is built, in the colours of whichever theme is on: a reader's browser runs nothing for them. */
export function drawMermaid(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence;
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index];
    if (token?.info.trim() !== "mermaid") return fence?.(tokens, index, options, env, self) ?? "";
    const svg = renderMermaidSVG(token.content, {
      bg: "var(--vp-c-bg)",
      fg: "var(--vp-c-text-1)",
      accent: "var(--vp-c-brand-1)",
      muted: "var(--vp-c-text-2)",
      border: "var(--vp-c-border)",
      font: "inherit",
      transparent: true,
    });
    // without the font that its first rule fetches; by v-html, since Vue's templates take no style
    const html = JSON.stringify(svg.replace(/@import url\([^)]*\);/g, "").replace(/text \{[^}]*\}/, ""));
    return `<div class="picture" v-html="${md.utils.escapeHtml(html)}"></div>\n`;
  };
}
