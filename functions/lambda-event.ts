import type { LambdaEvent } from "hono/aws-lambda";

/** The function was invoked with something that is no HTTP request. The message tells what to change, and quotes nothing of the event. */
class LambdaEventError extends Error {
  override readonly name = "LambdaEventError";
  readonly code = "UNKNOWN_EVENT";
}

/**
 * Lets through what Lambda hands over for an HTTP request: events of function URLs and HTTP APIs (payload 2.0), REST APIs (1.0), load balancers
 * and VPC Lattice. Anything else would be answered as a request to an address nobody asked for.
 *
 * @throws LambdaEventError for an event of any other shape
 */
export function assertHttpEvent(event: unknown): asserts event is LambdaEvent {
  const { rawPath, path, httpMethod, method, requestContext } = members(event);
  const { http, serviceArn } = members(requestContext);
  if (typeof rawPath === "string" && typeof members(http).method === "string") return;
  if (typeof path === "string" && typeof httpMethod === "string") return;
  if (typeof path === "string" && typeof method === "string" && typeof serviceArn === "string") return;
  throw new LambdaEventError(
    "This event is no HTTP request. Invoke the function through its URL, an HTTP or REST API, a load balancer or VPC Lattice; " +
      "give schedules and queues a function of their own.",
  );
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
