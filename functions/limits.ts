/** The limits of what a request may ask for. They stand in the OpenAPI document too. */
export const limits = {
  /** Lines of one order. */
  orderLines: 20,
  /** Pieces of one product in one order. */
  quantity: 1_000,
  /** Products on one page, and when the caller names no number. */
  page: 100,
  defaultPage: 20,
  /** Characters of an Idempotency-Key. */
  idempotencyKey: 255,
  /** The largest id a Postgres `integer` holds. */
  productId: 2_147_483_647,
} as const;
