import type { Context, MiddlewareHandler } from "hono";
import type { InferInput, InferOutput } from "valibot";
import { type FieldProblem, Problem } from "./problem.ts";

/** Longer names are cut: the name of an unknown field is the caller's own text. */
const MAX_FIELD_NAME_LENGTH = 64;

const places = { json: "body", query: "query", param: "path", header: "header" } as const satisfies Record<string, FieldProblem["in"]>;

type Target = keyof typeof places;

type Schemas = typeof import("./schemas.ts");

/**
 * Hands the route, as `c.req.valid`, what a schema of `schemas.ts` made of that part of the request, or answers 400 naming each wrong field and
 * what is wanted of it; 415 for a body that does not say it is JSON. The schemas are loaded by the first request that has something to check.
 * By itself and not by Hono's validator, which brings forms and cookies along.
 */
export function validate<T extends Target, Name extends keyof Schemas>(target: T, name: Name): Validation<T, Schemas[Name]> {
  return async (c, next) => {
    const schema = (await import("./schemas.ts"))[name];
    const result = await schema["~standard"].validate(await readers[target](c));
    if (result.issues !== undefined) {
      const fields = result.issues.map(({ message, path = [] }) => ({
        in: places[target],
        field: path
          .map((step) => String(typeof step === "object" ? step.key : step))
          .join(".")
          .slice(0, MAX_FIELD_NAME_LENGTH),
        message,
      }));
      throw new Problem(400, "VALIDATION_FAILED", "The request has fields that are missing or wrong.", { fields });
    }
    c.req.addValidatedData(target, result.value);
    await next();
  };
}

/** A middleware that tells the types of the routes behind it what they are handed. */
type Validation<T extends Target, Schema extends Schemas[keyof Schemas]> = MiddlewareHandler<
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
