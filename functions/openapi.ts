import { limits } from "./limits.ts";

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: object, description = "OK") => ({ description, content: { "application/json": { schema } } });
const object = (properties: object, required = Object.keys(properties)) => ({ type: "object", properties, required });
const wholeNumber = (minimum: number, maximum: number) => ({ type: "integer", minimum, maximum });
const parameter = (place: "query" | "path" | "header", name: string, schema: object) => ({
  in: place,
  name,
  required: place !== "query",
  schema,
});
/** The answers a route can give beside its success, by status. */
const problems = (...statuses: readonly number[]) =>
  Object.fromEntries(statuses.map((status) => [status, { $ref: "#/components/responses/Problem" }]));
const bearer = [{ bearer: [] }];

const text = { type: "string" };
const uuid = { type: "string", format: "uuid" };
const count = { type: "integer", minimum: 0 };
const productId = wholeNumber(1, limits.productId);
const quantity = wholeNumber(1, limits.quantity);
/** True or false, or `n/a` where no connection is held. */
const reused = { enum: [true, false, "n/a"] };

const schemas = {
  Product: object({ id: productId, name: text, priceCents: count, stock: count }),
  OrderRequest: {
    ...object({
      lines: {
        type: "array",
        minItems: 1,
        maxItems: limits.orderLines,
        items: { ...object({ productId, quantity }), additionalProperties: false },
      },
    }),
    additionalProperties: false,
  },
  Order: object({
    id: uuid,
    status: { enum: ["reserved"] },
    createdAt: { type: "string", format: "date-time" },
    lines: { type: "array", items: object({ productId, quantity, priceCents: count }) },
    totalCents: count,
  }),
  Proof: object({
    instanceId: text,
    invocation: count,
    transport: text,
    connectionId: text,
    connectionReused: reused,
    backendPid: count,
    products: count,
  }),
  Problem: object({
    error: object({ code: text, message: text, fields: { type: "array", items: object({ in: text, field: text, message: text }) } }, [
      "code",
      "message",
    ]),
  }),
};

const status = object({ status: text });

/** The OpenAPI 3.1 description of the API. Written by hand to stay small in a Worker; a test holds it to the routes and the schemas. */
export const openapi = {
  openapi: "3.1.0",
  info: {
    title: "warmline demo",
    version: "1",
    description: "Every answer carries X-Instance-Id, X-Invocation, X-Connection-Id and X-Connection-Reused.",
  },
  paths: {
    "/": {
      get: {
        summary: "This deployment, and what the server counts of it: a page, text or JSON",
        responses: { 200: { description: "OK", content: { "text/html": {}, "text/plain": {}, "application/json": {} } } },
      },
    },
    "/health": { get: { summary: "Whether this instance answers", responses: { 200: json(status) } } },
    "/ready": { get: { summary: "Whether the database answers", responses: { 200: json(status), ...problems(503) } } },
    "/products": {
      get: {
        summary: "Products by page: send next as after",
        parameters: [
          parameter("query", "limit", { ...wholeNumber(1, limits.page), default: limits.defaultPage }),
          parameter("query", "after", { ...wholeNumber(0, limits.productId), default: 0 }),
        ],
        responses: {
          200: json(object({ products: { type: "array", items: ref("Product") }, next: { type: ["integer", "null"] } })),
          ...problems(400, 503),
        },
      },
    },
    "/products/{id}": {
      get: {
        summary: "One product",
        parameters: [parameter("path", "id", productId)],
        responses: { 200: json(ref("Product")), ...problems(400, 404, 503) },
      },
    },
    "/orders": {
      post: {
        summary: "Reserves all of an order's stock or none, once per Idempotency-Key",
        security: bearer,
        parameters: [parameter("header", "Idempotency-Key", { type: "string", minLength: 1, maxLength: limits.idempotencyKey })],
        requestBody: { required: true, content: { "application/json": { schema: ref("OrderRequest") } } },
        responses: {
          200: json(ref("Order"), "The key's earlier order, with Idempotency-Replayed"),
          201: json(ref("Order"), "Created"),
          ...problems(400, 401, 403, 409, 413, 415, 422, 503),
        },
      },
    },
    "/orders/{id}": {
      get: {
        summary: "One order",
        parameters: [parameter("path", "id", uuid)],
        responses: { 200: json(ref("Order")), ...problems(400, 404, 503) },
      },
    },
    "/stats": {
      get: {
        summary: "The plan and the numbers of db.stats()",
        security: bearer,
        responses: { 200: json({ type: "object" }), ...problems(401, 403) },
      },
    },
    "/proof": {
      get: {
        summary: "A count, and the connection that made it",
        responses: { 200: json(ref("Proof")), ...problems(503) },
      },
    },
    "/openapi.json": { get: { summary: "This description", responses: { 200: json({ type: "object" }) } } },
  },
  components: {
    schemas,
    responses: { Problem: json(ref("Problem"), "Why not. 503 carries Retry-After") },
    securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
  },
};
