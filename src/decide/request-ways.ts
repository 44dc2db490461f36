import { unpooled, type Way } from "./way.ts";

/** Hyperdrive, over a socket that ends with its request. It stands before every other way. */
export const overHyperdrive: Way = {
  name: "request",
  fits: ({ tcp }, { name }) => tcp && name === "hyperdrive",
  reason: "a socket ends with its request here",
  size: () => unpooled(1, "it ends with its request"),
};

/** Any Postgres, over a socket that ends with its request. It stands after every other way. */
export const perRequest: Way = { ...overHyperdrive, fits: ({ tcp }) => tcp };
