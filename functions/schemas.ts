import * as v from "valibot";
import { limits } from "./limits.ts";

// Every check has a message of its own: valibot's quote what they were given.

function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

function wholeNumberText(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.string(message), v.regex(/^\d{1,10}$/, message), v.transform(Number), wholeNumber(min, max));
}

/** One product of an order, and how many of it. */
const orderLine = v.strictObject(
  { productId: wholeNumber(1, limits.productId), quantity: wholeNumber(1, limits.quantity) },
  "must be an object of productId and quantity, and nothing else",
);

const linesMessage = `must be a list of 1 to ${limits.orderLines} lines`;

/** The body of `POST /orders`. */
export const orderRequest = v.strictObject(
  {
    lines: v.pipe(
      v.array(orderLine, linesMessage),
      v.minLength(1, linesMessage),
      v.maxLength(limits.orderLines, linesMessage),
      v.check((lines) => new Set(lines.map((line) => line.productId)).size === lines.length, "must name each product once"),
    ),
  },
  "must be an object of lines, and nothing else",
);

/** The headers of `POST /orders`. */
export const orderHeaders = v.object(
  {
    "idempotency-key": v.pipe(
      v.string("is required: new for a new order, the same when it is sent again"),
      v.regex(/^[\x21-\x7e]{1,255}$/, `must be 1 to ${limits.idempotencyKey} printable ASCII characters without a space`),
    ),
  },
  "is required: new for a new order, the same when it is sent again",
);

/** The query of `GET /products`: a page size, and the id after which the page begins. */
export const productPage = v.object({
  limit: v.optional(wholeNumberText(1, limits.page), String(limits.defaultPage)),
  after: v.optional(wholeNumberText(0, limits.productId), "0"),
});

/** The path of `GET /products/:id`. */
export const productPath = v.object({ id: wholeNumberText(1, limits.productId) });

/** The path of `GET /orders/:id`. */
export const orderPath = v.object({
  id: v.pipe(v.string("must be a UUID"), v.regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, "must be a UUID")),
});

/** A line as {@link orderRequest} gives it. */
export type OrderLineRequest = v.InferOutput<typeof orderLine>;
