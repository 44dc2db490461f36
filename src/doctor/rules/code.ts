import { codeRules } from "../code/code-rules.ts";
import { type Rule, rule } from "../rule.ts";

/** Rules over the sources: what the scan found, each under its name; and what a project's configuration shows. */
export const sourceRules: readonly Rule[] = [
  ...codeRules.map(({ name, costs, change }) =>
    rule({
      name,
      group: "code",
      needs: ["sources"],
      costs,
      find: ({ sources }) => sources.places.filter((place) => place.rule === name).map(({ found, at }) => ({ found, change, at })),
    }),
  ),
  rule({
    name: "secret-in-wrangler",
    group: "code",
    needs: ["project"],
    costs: "It is in the repository, in the dashboard, and printed by every wrangler deploy.",
    find: ({ project }) =>
      project.openSecrets.map(({ name, at }) => ({
        found: `vars has ${name}, in the open.`,
        change: `wrangler secret put ${name}, and for development a line in .dev.vars; remove it from vars`,
        at,
      })),
  }),
];
