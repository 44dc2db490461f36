import type { PolicyStatement } from "./compile-template.ts";
import type { Spec } from "./resource-spec.ts";
import type { Template } from "./template.ts";

/** What CloudFormation would do to one resource that is there. */
export interface Change {
  readonly name: string;
  readonly type: string;
  readonly action: "Update:Modify" | "Update:Replace" | "Update:Delete";
}

/** What an update from one resolved template to another does to the resources of the first, by AWS's description of them. */
export function changesBetween(before: Template, after: Template, spec: Spec): readonly Change[] {
  return Object.entries(before.Resources).flatMap(([name, { Type: type, Properties = {} }]): Change[] => {
    const next = after.Resources[name];
    if (next === undefined) return [{ name, type, action: "Update:Delete" }];
    const given = next.Properties ?? {};
    const changed = [...new Set([...Object.keys(Properties), ...Object.keys(given)])].filter(
      (property) => JSON.stringify(Properties[property]) !== JSON.stringify(given[property]),
    );
    if (changed.length === 0) return [];
    // "maybe" counts: it is said of what replaces for some values
    const replaces = changed.some((property) => (spec.resource(type)?.properties[property]?.causesReplacement ?? "no") !== "no");
    return [{ name, type, action: replaces ? "Update:Replace" : "Update:Modify" }];
  });
}

/** Whether a stack policy lets a change be. Source: CloudFormation's documentation, "Prevent updates to stack resources". */
export function isAllowed(policy: readonly PolicyStatement[], { name, type, action }: Change): boolean {
  const list = (value: string | readonly string[]) => [value].flat();
  const fits = (pattern: string, text: string) => (pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : pattern === text);
  const applying = policy.filter(
    ({ Action, Resource, Condition }) =>
      list(Action).some((pattern) => fits(pattern, action)) &&
      list(Resource).some((pattern) => fits(pattern, `LogicalResourceId/${name}`)) &&
      (Condition === undefined || list(Condition.StringEquals.ResourceType).includes(type)),
  );
  return applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny");
}
