import type { Context, MiddlewareHandler } from "hono";
import type { InferOutput } from "valibot";
import type { Modules, Schemas } from "./modules.ts";
import { type FieldProblem, Problem } from "./problem.ts";

/** Longer names are cut: the name of an unknown field is the caller's own text. */
const MAX_FIELD_NAME_LENGTH = 64;

/** The parts of a request that can be validated: what they are called in an answer, and how they are read. */
const parts = {
  json: { place: "body", read: readJson },
  // a parameter that is given twice is a list, which no schema here takes
  query: {
    place: "query",
    read: (c) =>
      Object.fromEntries(Object.entries(c.req.queries()).map(([name, values]) => [name, values.length > 1 ? values : values[0]])),
  },
  param: { place: "path", read: (c) => c.req.param() },
  header: { place: "header", read: (c) => c.req.header() },
} as const satisfies Record<string, { readonly place: FieldProblem["in"]; readonly read: (c: Context) => unknown }>;

/**
 * Hands the route what a schema of `schemas.ts` made of that part of the request, or answers 400 naming each wrong field and what is wanted of
 * it.
 */
export type Validate = <Name extends keyof Schemas, Part extends keyof typeof parts>(
  part: Part,
  name: Name,
) => MiddlewareHandler<object, string, { out: { [Key in Part]: InferOutput<Schemas[Name]> } }>;

/** Validation with the schemas of the platform. */
export function validateWith({ schemas }: Modules): Validate {
  return (part, name) => {
    const { place, read } = parts[part];
    return async (c, next) => {
      const result = await (await schemas())[name]["~standard"].validate(await read(c));
      if (result.issues !== undefined) {
        const fields = result.issues.map(({ message, path = [] }) => ({ in: place, field: dotted(path), message }));
        throw new Problem(400, "VALIDATION_FAILED", "The request has fields that are missing or wrong.", { fields });
      }
      c.req.addValidatedData(part, result.value);
      await next();
    };
  };
}

function dotted(path: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  const steps = path.map((step) => String(typeof step === "object" ? step.key : step));
  return steps.join(".").slice(0, MAX_FIELD_NAME_LENGTH);
}

async function readJson(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    throw new Problem(400, "MALFORMED_BODY", "The body is not valid JSON.", {
      fields: [{ in: "body", field: "", message: "must be JSON" }],
    });
  }
}

/** Answers 415 unless the body says it is JSON: Hono would read any other as an empty object. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as Content-Type: application/json.");
  }
  await next();
};
