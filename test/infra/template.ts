/** A CloudFormation template, as far as the tests read it. */
export interface Template {
  readonly Parameters?: Readonly<Record<string, Parameter>>;
  readonly Rules?: Readonly<Record<string, Rule>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, Output>>;
}

/** A value chosen when the stack is deployed. */
export interface Parameter {
  readonly Type: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly string[];
  readonly AllowedPattern?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}

/** What parameters have to be together. */
export interface Rule {
  readonly RuleCondition: unknown;
  readonly Assertions: readonly { readonly Assert: unknown; readonly AssertDescription: string }[];
}

/** One resource, its properties unresolved. */
export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: string | readonly string[];
  readonly Properties?: Readonly<Record<string, unknown>>;
}

/** One output. */
export interface Output {
  readonly Condition?: string;
  readonly Value: unknown;
}

/** The entries of an object, none for anything else. */
export function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** The one intrinsic function an object stands for, `["Fn::GetAtt", […]]`, or undefined for plain data. */
export function intrinsicOf(value: unknown): [name: string, argument: unknown] | undefined {
  if (Array.isArray(value)) return undefined;
  const [only, ...more] = entriesOf(value);
  return only !== undefined && more.length === 0 && (only[0] === "Ref" || only[0] === "Condition" || only[0].startsWith("Fn::"))
    ? only
    : undefined;
}
