import type { PropertySpec, PropertyType, ResourceSpec, Spec } from "./resource-spec.ts";
import { entriesOf, intrinsicOf, type Template } from "./template.ts";

const pseudo = /^AWS::(AccountId|Partition|Region|StackId|StackName|URLSuffix|NotificationARNs)$/;

/** Functions that give one text, or one item of a list; of these only what they refer to can be judged. */
const textual = new Set(["Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Base64", "Fn::ImportValue"]);
const listing = new Set(["Ref", "Fn::GetAtt", "Fn::Split", "Fn::GetAZs", "Fn::Select"]);

/**
 * Everything in a resolved template (see `resolveTemplate`) that AWS's own description of its resources does not know: types, properties,
 * required keys, kinds of values, enumerations, and references to what is not there. Each problem names its place; none means it fits.
 */
export function checkTemplate(template: Template, spec: Spec): readonly string[] {
  const problems: string[] = [];
  const report = (place: string, problem: string) => void problems.push(`${place}: ${problem}`);
  const typeOf = (name: string): ResourceSpec | undefined => spec.resource(template.Resources[name]?.Type ?? "");

  const checkReference = (place: string, name: string, own: ReadonlySet<string> = new Set()) => {
    const [target = "", ...rest] = name.split(".");
    const attribute = rest.join(".");
    if (attribute === "") {
      if (!(target in template.Resources || target in (template.Parameters ?? {}) || pseudo.test(target) || own.has(target)))
        report(place, `there is no ${target} to refer to`);
    } else if (!(target in template.Resources)) report(place, `there is no resource ${target} to take ${attribute} of`);
    else if (!(attribute in (typeOf(target)?.attributes ?? {}))) report(place, `${target} has no attribute ${attribute}`);
  };

  /** Follows every reference within a value, whatever its kind. */
  const checkReferences = (place: string, value: unknown): void => {
    const [name, argument] = intrinsicOf(value) ?? [];
    if (name === undefined) for (const [key, item] of entriesOf(value)) checkReferences(`${place}.${key}`, item);
    else if (name === "Ref") checkReference(place, String(argument));
    else if (name === "Fn::GetAtt") checkReference(place, Array.isArray(argument) ? argument.join(".") : String(argument));
    else if (name === "Fn::Sub") {
      const [text, own] = Array.isArray(argument) ? argument : [argument, {}];
      const names = new Set(entriesOf(own).map(([key]) => key));
      for (const [, inner = ""] of String(text).matchAll(/\$\{([^!}][^}]*)\}/g)) checkReference(place, inner, names);
      checkReferences(place, own);
    } else if (textual.has(name) || listing.has(name)) checkReferences(place, argument);
    else report(place, `${name} is not known here`);
  };

  const checkValue = (place: string, value: unknown, type: PropertyType): void => {
    const [name] = intrinsicOf(value) ?? [];
    if (name !== undefined) {
      const fits = type.type === "array" ? listing : textual;
      if (type.type === "ref" || type.type === "map" || !fits.has(name)) report(place, `${name} gives no ${type.type}`);
    } else if (type.type === "array") {
      if (!Array.isArray(value)) report(place, "is no list");
      else for (const [index, item] of value.entries()) checkValue(`${place}[${index}]`, item, type.element as PropertyType);
    } else if (type.type === "map") {
      if (Array.isArray(value) || typeof value !== "object") report(place, "is no map");
      else for (const [key, item] of entriesOf(value)) checkValue(`${place}.${key}`, item, type.element as PropertyType);
    } else if (type.type === "ref") {
      checkMembers(place, value, spec.structure(type.reference as { $ref: string }));
    } else if (type.type === "tag") {
      checkMembers(place, value, {
        Key: { type: { type: "string" }, required: true },
        Value: { type: { type: "string" }, required: true },
      });
    } else if (type.type !== "json") checkScalar(place, value, type);
  };

  const checkScalar = (place: string, value: unknown, { type, allowedValues }: PropertyType): void => {
    if (value === null || typeof value === "object") report(place, `is no ${type}`);
    else if (type === "boolean" && !/^(true|false)$/.test(String(value))) report(place, "is no boolean");
    else if (type === "integer" && !/^-?\d+$/.test(String(value))) report(place, "is no integer");
    else if (type === "number" && (value === "" || Number.isNaN(Number(value)))) report(place, "is no number");
    else if (allowedValues && !allowedValues.map(String).includes(String(value))) report(place, `is none of ${allowedValues.join(", ")}`);
  };

  /** Fits when it fits one of the kinds AWS takes, today's or an older one; if none, today's first says why. */
  const checkAny = (place: string, value: unknown, types: readonly PropertyType[]): void => {
    const start = problems.length;
    let first: string[] | undefined;
    for (const type of types) {
      checkValue(place, value, type);
      const found = problems.splice(start);
      if (found.length === 0) return;
      first ??= found;
    }
    problems.push(...(first ?? []));
  };

  const checkMembers = (place: string, value: unknown, members: Readonly<Record<string, PropertySpec>>): void => {
    if (Array.isArray(value) || typeof value !== "object" || value === null) {
      report(place, "is no structure");
      return;
    }
    for (const [key, { required }] of Object.entries(members)) {
      if (required && !(key in value)) report(place, `${key} is missing`);
    }
    for (const [key, item] of entriesOf(value)) {
      const member = members[key];
      if (member === undefined) report(place, `${key} is not known`);
      else
        checkAny(
          `${place}.${key}`,
          item,
          [member.type, ...(member.previousTypes ?? [])].flatMap((type) => type.types ?? [type]),
        );
    }
  };

  for (const [name, { Type, Properties = {}, DependsOn = [] }] of Object.entries(template.Resources)) {
    const resource = spec.resource(Type);
    if (resource === undefined) report(name, `${Type} does not exist`);
    else checkMembers(name, Properties, resource.properties);
    checkReferences(name, Properties);
    for (const other of [DependsOn].flat()) if (!(other in template.Resources)) report(name, `depends on ${other}, which is not there`);
  }
  for (const [name, { Value }] of Object.entries(template.Outputs ?? {})) checkReferences(`Outputs.${name}`, Value);
  return problems;
}
