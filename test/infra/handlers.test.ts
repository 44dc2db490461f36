import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { APIGatewayProxyResult } from "hono/aws-lambda";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { LARGEST_REPLY_BYTES, withinReplyLimit } from "../../functions/lambda-reply.ts";

const requestContext = { domainName: "api.example.com", http: { method: "GET", path: "/health" } };
const functionUrl = { version: "2.0", rawPath: "/health", rawQueryString: "", headers: {}, requestContext, isBase64Encoded: false };
const restApi = { version: "1.0", path: "/health", httpMethod: "GET", headers: {}, multiValueHeaders: {}, requestContext: {} };
const loadBalancer = { path: "/health", httpMethod: "GET", headers: {}, requestContext: { elb: {} } };
const lattice = { version: "2.0", path: "/health", method: "GET", headers: {}, requestContext: { serviceArn: "arn:aws:vpc-lattice" } };

const noRequests = {
  nothing: undefined,
  null: null,
  "a text": "GET /health",
  "a list": [functionUrl],
  "an empty object": {},
  "a schedule": { source: "aws.events", "detail-type": "Scheduled Event", detail: {} },
  "a queue": { Records: [{ messageId: "1", body: "{}" }] },
  "a path alone": { rawPath: "/health" },
};

/** Loads a handler anew, as a cold start does. */
async function load<Handler>(name: "lambda" | "lambda-stream"): Promise<Handler> {
  vi.resetModules();
  vi.stubEnv("DATABASE_URL", inject("postgres").url);
  vi.stubEnv("API_TOKEN", "");
  return ((await import(`../../functions/${name}.ts`)) as { handler: Handler }).handler;
}

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});

describe("the Lambda handler", () => {
  type Handler = (event: unknown) => Promise<APIGatewayProxyResult>;

  it.each(Object.entries({ functionUrl, restApi, loadBalancer, lattice }))(
    "answers an HTTP request as %s hands it over",
    async (_, event) => {
      const handler = await load<Handler>("lambda");
      expect(await handler(event)).toMatchObject({ statusCode: 200, body: '{"status":"ok"}' });
    },
  );

  it("answers a browser with the page", async () => {
    const handler = await load<Handler>("lambda");
    const headers = { accept: "text/html", host: "demo.lambda-url.eu-central-1.on.aws" };
    const context = { ...requestContext, http: { method: "GET", path: "/" } };
    const { statusCode, body, isBase64Encoded } = await handler({ ...functionUrl, rawPath: "/", headers, requestContext: context });
    expect([statusCode, isBase64Encoded]).toEqual([200, false]);
    expect(body).toMatch(/^<!doctype html>.+<dt>sessions begun<\/dt><dd>\d+<\/dd>/s);
  });

  it.each(Object.entries(noRequests))("refuses %s as an event with a code, and serves the next", async (_, event) => {
    const handler = await load<Handler>("lambda");
    await expect(handler(event)).rejects.toMatchObject({ code: "UNKNOWN_EVENT", message: expect.stringContaining("through its URL") });
    expect(await handler(functionUrl)).toMatchObject({ statusCode: 200 });
  });

  it("closes writes and statistics when no token is configured", async () => {
    const handler = await load<Handler>("lambda");
    const write = { ...functionUrl, rawPath: "/orders", requestContext: { ...requestContext, http: { method: "POST", path: "/orders" } } };
    expect(await handler(write)).toMatchObject({ statusCode: 403 });
    expect(await handler({ ...functionUrl, rawPath: "/stats" })).toMatchObject({ statusCode: 403 });
  });
});

describe("the limit of a buffered reply", () => {
  const reply = (body: string): APIGatewayProxyResult => ({
    statusCode: 200,
    headers: { "content-type": "text/plain", "x-instance-id": "i" },
    body,
    isBase64Encoded: false,
  });
  const around = Buffer.byteLength(JSON.stringify(reply("")));

  it("lets a reply of exactly 6 MB pass as it is", () => {
    const largest = reply("x".repeat(LARGEST_REPLY_BYTES - around));
    expect(withinReplyLimit(largest)).toBe(largest);
  });

  it.each([
    ["one byte too many", "x".repeat(LARGEST_REPLY_BYTES - around + 1)],
    ["few characters that JSON spells with six bytes each", "\u0000".repeat(LARGEST_REPLY_BYTES / 6)],
    ["few characters of many bytes", "\u{20ac}".repeat(LARGEST_REPLY_BYTES / 3)],
  ])("answers %s with a code and the remedy", (_, body) => {
    const answer = withinReplyLimit(reply(body));
    expect(answer).toMatchObject({ statusCode: 500, headers: { "content-type": "application/json", "x-instance-id": "i" } });
    expect(JSON.parse(answer.body)).toEqual({ error: { code: "REPLY_TOO_LARGE", message: expect.stringContaining("streaming function") } });
  });

  it("keeps to headers of many values where the event had them", () => {
    const { headers: _, ...rest } = reply("x".repeat(LARGEST_REPLY_BYTES));
    const answer = withinReplyLimit({ ...rest, multiValueHeaders: { "x-instance-id": ["i"] } });
    expect(answer.multiValueHeaders).toEqual({ "x-instance-id": ["i"], "content-type": ["application/json"] });
    expect(answer).not.toHaveProperty("headers");
  });
});

describe("the streaming handler", () => {
  type Handler = (event: unknown, stream: PassThrough, context: unknown) => Promise<void>;

  /** What Lambda's runtime offers a streaming function; the freezing sandbox runs AWS's own. */
  function offerStreaming() {
    const heads: unknown[] = [];
    vi.stubGlobal("awslambda", {
      streamifyResponse: (work: unknown) => work,
      HttpResponseStream: {
        from: (stream: PassThrough, head: unknown) => {
          heads.push(head);
          return stream;
        },
      },
    });
    return heads;
  }

  it("streams the answer, with its status first", async () => {
    const heads = offerStreaming();
    const handler = await load<Handler>("lambda-stream");
    const stream = new PassThrough();
    const [body] = await Promise.all([text(stream), handler(functionUrl, stream, {})]);
    expect(body).toBe('{"status":"ok"}');
    expect(heads).toMatchObject([{ statusCode: 200, headers: { "x-invocation": "1" } }]);
  });

  it.each(Object.entries(noRequests))("refuses %s as an event with a code, and serves the next", async (_, event) => {
    const heads = offerStreaming();
    const handler = await load<Handler>("lambda-stream");
    await expect(handler(event, new PassThrough(), {})).rejects.toMatchObject({ code: "UNKNOWN_EVENT" });
    const stream = new PassThrough();
    await Promise.all([text(stream), handler(functionUrl, stream, {})]);
    expect(heads).toMatchObject([{ statusCode: 200 }]);
  });
});
