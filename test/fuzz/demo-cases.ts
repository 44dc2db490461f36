import type { Random } from "../support/random.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { mangle, nastyJson, nastyTexts, nastyValue } from "./nasty.ts";
import { breakRequest, chunkRequest, nastyHeaders, type WrittenRequest, writeRequest } from "./request-bytes.ts";

const paths = [
  "/",
  "/health",
  "/ready",
  "/products",
  "/products/1",
  "/products/",
  "/orders",
  "/orders/0",
  "/proof",
  "/stats",
  "/openapi.json",
  "/nowhere",
];

/** A malformed, hostile or merely odd request to the demo API. The token is a good one, and must not come back. */
export function demoCase(random: Random, token: string): FuzzCase {
  const request = random.once(2) ? order(random, token) : read(random, token);
  return random.pick<() => FuzzCase>([
    () => ({ kind: "head", ...breakRequest(request, random) }),
    () => ({ kind: "chunks", ...chunkRequest(request, random) }),
    () => ({ kind: "as meant", ...writeRequest(request) }),
    () => ({ kind: "body", ...writeRequest({ ...order(random, token), body: nastyOrder(random) }) }),
    () => ({ kind: "body", ...writeRequest({ ...order(random, token), body: nastyOrder(random) }) }),
    () => ({
      kind: "headers",
      ...writeRequest({ ...request, headers: [...withNastyValue(request.headers, random), ...nastyHeaders(random)] }),
    }),
    () => ({
      kind: "content type",
      ...writeRequest({ ...request, headers: [...withoutType(request.headers), ["Content-Type", random.pick(contentTypes)]] }),
    }),
    () => ({
      kind: "method and path",
      ...writeRequest({
        ...request,
        method: random.pick(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"]),
        path: nastyPath(random),
      }),
    }),
    () => ({ kind: "method and path", ...writeRequest({ ...read(random, token), path: nastyPath(random) }) }),
  ])();
}

const contentTypes = [
  "",
  "text/plain",
  "application/json; charset=utf-16",
  "application/jsonp",
  "multipart/form-data",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "application/json, text/html",
  "\x80/\xff",
  "application/json;".repeat(100),
];

function read(random: Random, token: string): WrittenRequest {
  return { method: "GET", path: random.pick(paths), headers: authorization(random, token), body: Buffer.alloc(0) };
}

function order(random: Random, token: string): WrittenRequest {
  const lines = Array.from({ length: random.between(0, 3) }, () => ({
    productId: random.pick<unknown>([1, 2, 3, 999_999, nastyValue(random, 1)]),
    quantity: random.pick<unknown>([1, 2, 1_000, nastyValue(random, 1)]),
  }));
  const key = random.once(6) ? random.pick(nastyTexts).slice(0, 3_000) : `key-${random.between(1, 1_000_000)}`;
  return {
    method: "POST",
    path: "/orders",
    headers: [...authorization(random, token), ["Content-Type", "application/json"], ["Idempotency-Key", key]],
    body: Buffer.from(JSON.stringify({ lines })),
  };
}

function authorization(random: Random, token: string): readonly (readonly [string, string])[] {
  if (!random.once(8)) return [["Authorization", `Bearer ${token}`]];
  return random.pick([
    [],
    [["Authorization", random.pick(nastyTexts).slice(0, 3_000)] as const],
    [["Authorization", `Basic ${token}`] as const],
  ]);
}

function nastyOrder(random: Random): Buffer {
  const good = Buffer.from(JSON.stringify({ lines: [{ productId: 1, quantity: 1 }] }));
  return random.pick<() => Buffer>([
    () => mangle(good, random),
    () => good.subarray(0, random.between(0, good.length)),
    () => Buffer.from(nastyJson(random)),
    () => Buffer.from(JSON.stringify(nastyValue(random))),
    () => Buffer.from(JSON.stringify({ lines: nastyValue(random) })),
    () =>
      Buffer.from(
        JSON.stringify({
          lines: [{ productId: nastyValue(random), quantity: nastyValue(random), [random.pick(nastyTexts).slice(0, 100)]: 1 }],
        }),
      ),
    () => Buffer.from(`{"lines":[{"productId":1,"quantity":1,"__proto__":{"admin":true}}],"__proto__":{"admin":true}}`),
    () => Buffer.from(`{"lines":${nastyJson(random)}}`),
    () => Buffer.alloc(random.pick([65_536, 65_537, 300_000]), " "),
    () => Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
  ])();
}

function nastyPath(random: Random): string {
  const nasty = () => {
    const text = random.pick(nastyTexts).slice(0, 3_000);
    return random.once(2) ? encodeURIComponent(text.toWellFormed()) : text;
  };
  const name = random.pick(["limit", "after", "id", nasty()]);
  return random.pick<() => string>([
    () => `/products/${nasty()}`,
    () => `/orders/${nasty()}`,
    () => `/products?${name}=${nasty()}`,
    () => `/products?limit=${nasty()}&limit=${nasty()}&after=${nasty()}`,
    () => `/${nasty()}/${nasty()}`,
    () => `${random.pick(paths)}?${nasty()}`,
    () => `${random.pick(paths)}${nasty()}`,
  ])();
}

function withNastyValue(headers: WrittenRequest["headers"], random: Random): WrittenRequest["headers"] {
  const chosen = random.between(0, headers.length);
  return headers.map(([name, value], index) => [name, index === chosen ? random.pick(nastyTexts).slice(0, 3_000) : value]);
}

function withoutType(headers: WrittenRequest["headers"]): WrittenRequest["headers"] {
  return headers.filter(([name]) => name !== "Content-Type");
}
