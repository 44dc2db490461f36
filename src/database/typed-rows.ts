import { UsageError } from "../errors/errors.ts";
import { leaveAlone, look } from "../errors/look.ts";
import { rowMismatch, schemaFailed } from "../errors/row-failure.ts";
import type { CheckRows, Field } from "../transports/transport.ts";
import { isPromise } from "./refuse-value.ts";
import type { SchemaIssue, StandardSchema } from "./standard-schema.ts";

/** How rows are held against a schema. */
export interface TypedOptions {
  /**
   * The share of the rows that are checked, from 0 for none to 1. Where it is given, rows come as the database gives them, whether they were
   * checked or not: the schema only judges, and what it would make of them is left. Left out, each row is checked, and is what the schema
   * makes of it.
   */
  readonly sample: number;
}

/**
 * The check of a schema, for rows of any result.
 *
 * @throws UsageError INVALID_SCHEMA, INVALID_OPTION
 */
export function rowCheck(schema: StandardSchema, options: TypedOptions | undefined): CheckRows {
  const standard = look(() => schema["~standard"], undefined);
  if (!look(() => standard?.version === 1 && typeof standard.validate === "function", false)) {
    throw new UsageError("sql.typed takes a Standard Schema, such as one of valibot, zod or arktype.", { code: "INVALID_SCHEMA" });
  }
  const sample = options === undefined ? undefined : sampleOf(options);
  const validate = (row: unknown) => (standard as StandardSchema["~standard"]).validate(row);
  return (rows, { fields, random, from = 0 }) => {
    for (let index = 0; index < rows.length; index++) {
      if (sample !== undefined && random() >= sample) continue;
      const value = checked(validate, rows[index], { fields, rowIndex: from + index });
      if (sample === undefined) rows[index] = value as (typeof rows)[number];
    }
  };
}

function sampleOf(options: TypedOptions): number {
  const given = look(() => ({ ...options }), {} as Partial<TypedOptions>);
  const { sample = Number.NaN, ...others } = given;
  if (typeof sample === "number" && sample >= 0 && sample <= 1 && Object.keys(others).length === 0) return sample;
  throw new UsageError("The options of sql.typed are { sample }, a number from 0 to 1.", { code: "INVALID_OPTION" });
}

/** What a schema makes of a row. Whatever it does is its own code, and may throw at every touch. */
function checked(
  validate: StandardSchema["~standard"]["validate"],
  row: unknown,
  place: { readonly fields: readonly Field[]; readonly rowIndex: number },
): unknown {
  let result: ReturnType<typeof validate>;
  let issues: readonly SchemaIssue[] | undefined;
  let isAsync = false;
  try {
    result = validate(row);
    isAsync = isPromise(result);
    if (!isAsync) {
      ({ issues } = result as Awaited<typeof result>);
      if (issues === undefined) {
        if ("value" in (result as object)) return (result as { readonly value: unknown }).value;
        throw new TypeError("A result has a value or issues.");
      }
    }
  } catch (thrown) {
    throw schemaFailed(place.rowIndex, { thrown });
  }
  if (isAsync) {
    leaveAlone(result);
    throw schemaFailed(place.rowIndex, "async");
  }
  throw rowMismatch(
    place,
    look(() => pathOf(issues), []),
  );
}

/** The keys on the way to the first issue, as far as they are any. In a list of its own: that of a library may lead to the value. */
function pathOf(issues: readonly SchemaIssue[] | undefined): readonly PropertyKey[] {
  const keys = Array.from(issues?.[0]?.path ?? [], (segment) => (typeof segment === "object" ? segment.key : segment));
  const end = keys.findIndex((key) => !["string", "number", "symbol"].includes(typeof key));
  return end === -1 ? keys : keys.slice(0, end);
}
