import { vValidator } from "@hono/valibot-validator";
import type { MiddlewareHandler } from "hono";
import { type GenericSchema, getDotPath } from "valibot";
import { type FieldProblem, Problem } from "./problem.ts";

/** Longer names are cut: the name of an unknown field is the caller's own text. */
const MAX_FIELD_NAME_LENGTH = 64;

const places = { json: "body", query: "query", param: "path", header: "header" } as const satisfies Record<string, FieldProblem["in"]>;

/** Hands the route what the schema made of that part of the request, or answers 400 naming each wrong field and what is wanted of it. */
export function validate<Schema extends GenericSchema, Target extends keyof typeof places>(target: Target, schema: Schema) {
  return vValidator(target, schema, (result) => {
    if (result.success) return;
    const fields = result.issues.map((issue) => ({
      in: places[target],
      field: (getDotPath(issue) ?? "").slice(0, MAX_FIELD_NAME_LENGTH),
      message: issue.message,
    }));
    throw new Problem(400, "VALIDATION_FAILED", "The request has fields that are missing or wrong.", { fields });
  });
}

/** Answers 415 unless the body says it is JSON: Hono would read any other as an empty object. */
export const requireJson: MiddlewareHandler = async (c, next) => {
  if (!/^application\/json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
    throw new Problem(415, "UNSUPPORTED_MEDIA_TYPE", "Send the body as Content-Type: application/json.");
  }
  await next();
};
