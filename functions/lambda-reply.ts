import type { APIGatewayProxyResult } from "hono/aws-lambda";
import { Problem } from "./problem.ts";

/** The most bytes Lambda hands on in a buffered reply, 6 MB of JSON. Source: AWS's Lambda quotas, "Invocation payload". */
export const LARGEST_REPLY_BYTES = 6 * 1024 * 1024;

/** A character of a body is at most six bytes of JSON, `\u0000`: below this nothing needs to be measured. */
const SURELY_SMALL = LARGEST_REPLY_BYTES / 6 - 64 * 1024;

/** The reply itself, or one that says it is too large: Lambda would drop it and tell the caller nothing but 502. */
export function withinReplyLimit(reply: APIGatewayProxyResult): APIGatewayProxyResult {
  if (reply.body.length <= SURELY_SMALL || Buffer.byteLength(JSON.stringify(reply)) <= LARGEST_REPLY_BYTES) return reply;
  const problem = new Problem(
    500,
    "REPLY_TOO_LARGE",
    "The answer is over 6 MB, more than Lambda returns at once. Ask for fewer items, or use the streaming function.",
  );
  const { headers, multiValueHeaders, ...rest } = reply;
  const json = { ...rest, statusCode: problem.status, body: JSON.stringify(problem.body), isBase64Encoded: false };
  return multiValueHeaders === undefined
    ? { ...json, headers: { ...headers, "content-type": "application/json" } }
    : { ...json, multiValueHeaders: { ...multiValueHeaders, "content-type": ["application/json"] } };
}
