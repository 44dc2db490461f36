import { entriesOf, intrinsicOf, type Template } from "./template.ts";

/** Tells which conditions hold for these parameters, those with a name and those written out. */
function decider(template: Template, given: Readonly<Record<string, string>>): (condition: unknown) => boolean {
  const parameters: Record<string, unknown> = {};
  for (const [name, { Default }] of Object.entries(template.Parameters ?? {})) parameters[name] = given[name] ?? Default;
  const plain = (value: unknown): unknown => {
    const [name, argument] = intrinsicOf(value) ?? [];
    return name === "Ref" ? parameters[String(argument)] : value;
  };
  const decide = (condition: unknown): boolean => {
    if (typeof condition === "string") {
      const named = template.Conditions?.[condition];
      if (named === undefined) throw new Error(`there is no condition ${condition}`);
      return decide(named);
    }
    const [name, argument] = intrinsicOf(condition) ?? [];
    const parts = Array.isArray(argument) ? argument : [];
    if (name === "Condition") return decide(String(argument));
    if (name === "Fn::Not") return !decide(parts[0]);
    if (name === "Fn::And") return parts.every(decide);
    if (name === "Fn::Or") return parts.some(decide);
    if (name === "Fn::Equals") return String(plain(parts[0])) === String(plain(parts[1]));
    throw new Error(`a condition uses ${name}, which is unknown here`);
  };
  return decide;
}

/** What CloudFormation says of these parameters before it touches anything: the descriptions of the rules they break. */
export function brokenRules(template: Template, given: Readonly<Record<string, string>>): readonly string[] {
  const holds = decider(template, given);
  return Object.values(template.Rules ?? {})
    .filter(({ RuleCondition }) => holds(RuleCondition))
    .flatMap(({ Assertions }) => Assertions.filter(({ Assert }) => !holds(Assert)))
    .map(({ AssertDescription }) => AssertDescription);
}

/** Stands where a property is left out. */
const NOTHING = Symbol("AWS::NoValue");

/**
 * The template CloudFormation would carry out for these parameters: every condition decided, every `Fn::If` replaced by its branch, resources
 * and outputs whose condition is false gone. Parameters that are not given have their defaults. References stay as they are.
 */
export function resolveTemplate(template: Template, given: Readonly<Record<string, string>> = {}): Template {
  const holds = decider(template, given);
  const isLeftOut = (name: string): boolean => {
    const { Condition } = template.Resources[name] ?? {};
    return Condition !== undefined && !holds(Condition);
  };
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== NOTHING);
    const [name, argument] = intrinsicOf(value) ?? [];
    if (name === "Fn::If") {
      const [condition, yes, no] = argument as [string, unknown, unknown];
      return resolve(holds(condition) ? yes : no);
    }
    if (name === "Ref" && argument === "AWS::NoValue") return NOTHING;
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      entriesOf(value)
        .map(([key, item]) => [key, resolve(item)] as const)
        .filter(([, item]) => item !== NOTHING),
    );
  };
  const kept = <Item extends { readonly Condition?: string }>(items: Readonly<Record<string, Item>> = {}) =>
    Object.fromEntries(
      Object.entries(items)
        .filter(([, { Condition }]) => Condition === undefined || holds(Condition))
        .map(([name, item]) => [name, resolve(item) as Item]),
    );
  // What depends on a resource that is not made waits for nothing.
  const Resources = Object.fromEntries(
    Object.entries(kept(template.Resources)).map(([name, resource]) => {
      const others = [resource.DependsOn ?? []].flat().filter((other) => !isLeftOut(other));
      return [name, { ...resource, DependsOn: others }];
    }),
  );
  return { ...template, Resources, Outputs: kept(template.Outputs) };
}
