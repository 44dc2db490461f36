import type { Context, MiddlewareHandler } from "hono";
import { type GenericSchema, getDotPath, type InferInput, type InferOutput, safeParse } from "valibot";
import { type FieldProblem, Problem } from "./problem.ts";

/** Longer names are cut: the name of an unknown field is the caller's own text. */
const MAX_FIELD_NAME_LENGTH = 64;

const places = { json: "body", query: "query", param: "path", header: "header" } as const satisfies Record<string, FieldProblem["in"]>;

type Target = keyof typeof places;

/**
 * Hands the route, as `c.req.valid`, what the schema made of that part of the request, or answers 400 naming each wrong field and what is wanted
 * of it; 415 for a body that does not say it is JSON. By itself and not by Hono's validator, which brings forms and cookies along.
 */
export function validate<T extends Target, Schema extends GenericSchema>(target: T, schema: Schema): Validation<T, Schema> {
  return async (c, next) => {
    const result = safeParse(schema, await readers[target](c));
    if (!result.success) {
      const fields = result.issues.map((issue) => ({
        in: places[target],
        field: (getDotPath(issue) ?? "").slice(0, MAX_FIELD_NAME_LENGTH),
        message: issue.message,
      }));
      throw new Problem(400, "VALIDATION_FAILED", "The request has fields that are missing or wrong.", { fields });
    }
    c.req.addValidatedData(target, result.output as object);
    await next();
  };
}

/** A middleware that tells the types of the routes behind it what they are handed. */
type Validation<T extends Target, Schema extends GenericSchema> = MiddlewareHandler<
  // biome-ignore lint/suspicious/noExplicitAny: Hono's own word for "of whatever application"
  any,
  string,
  { in: { [K in T]: InferInput<Schema> }; out: { [K in T]: InferOutput<Schema> } }
>;

const readers: Readonly<Record<Target, (c: Context) => unknown>> = {
  json: readJson,
  // a name that is there more than once has no text: a list, which no schema takes
  query: (c) => Object.fromEntries(Object.entries(c.req.queries()).map(([name, all]) => [name, all.length === 1 ? all[0] : all])),
  param: (c) => c.req.param(),
  header: (c) => c.req.header(),
};

async function readJson(c: Context): Promise<unknown> {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as Content-Type: application/json.");
  }
  try {
    return await c.req.json();
  } catch {
    const fields = [{ in: "body", field: "", message: "must be JSON" }] as const;
    throw new Problem(400, "MALFORMED_BODY", "The body is not valid JSON.", { fields });
  }
}
