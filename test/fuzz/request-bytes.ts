import type { Random } from "../support/random.ts";
import { mangle, nastyTexts } from "./nasty.ts";

/** A request as it should be written. Header values are latin-1, as on the wire. */
export interface WrittenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** Bytes to send, and whether they are one whole request of HTTP, to which there has to be an answer. */
export interface SentRequest {
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/** Characters that HTTP's grammar has in no header. Source: RFC 9110, field values. */
const notInHeaders = /[^\t\x20-\x7e\x80-\xff]/g;

/** Writes a request with a length that is right; what no head can hold is taken out of path and headers, so that the head is one. */
export function writeRequest({ method, path, headers, body }: WrittenRequest): SentRequest {
  const target = path.replace(/[^\x21-\x7e]/g, "") || "/";
  const lines = [
    `${method} ${target.startsWith("/") ? target : `/${target}`} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: close",
    ...headers.map(([name, value]) => `${name}: ${value.replace(notInHeaders, "")}`),
    `Content-Length: ${body.length}`,
  ];
  return { bytes: Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), body]), whole: true };
}

/** The same request, broken somewhere between its first byte and its last. */
export function breakRequest(request: WrittenRequest, random: Random): SentRequest {
  const { bytes } = writeRequest(request);
  const text = bytes.toString("latin1");
  const headEnd = text.indexOf("\r\n\r\n");
  const rewrite = (change: (head: string) => string) =>
    Buffer.concat([Buffer.from(change(text.slice(0, headEnd)), "latin1"), bytes.subarray(headEnd)]);
  const broken = random.pick<() => Buffer>([
    () => mangle(bytes, random),
    () => Buffer.concat([mangle(bytes.subarray(0, headEnd), random), bytes.subarray(headEnd)]),
    () => bytes.subarray(0, random.between(1, bytes.length - 1)),
    () =>
      rewrite((head) => head.replace(/HTTP\/1\.1/, random.pick(["HTTP/9.9", "HTTP/1.0", "HTTP/2", "HTTX/1.1", "", "HTTP/1.1 HTTP/1.1"]))),
    () => rewrite((head) => head.replace(/^\S+/, random.pick(["", "GIT", "post", "POST POST", "CONNECT", "TRACE", "\x16\x03\x01", "PRI"]))),
    () =>
      rewrite((head) =>
        head.replace(
          /^(\S+) \S+/,
          `$1 ${random.pick(["*", "http://elsewhere.invalid/", "//x", "", "/%", "/\x80\xff", "/?".repeat(900), "/sql HTTP/1.1\r\nX: y"])}`,
        ),
      ),
    () =>
      rewrite((head) =>
        head.replace(
          /Content-Length: \d+/,
          random.pick([
            "Content-Length: -1",
            "Content-Length: 99999999999999999999",
            "Content-Length: 1e3",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 0x10",
            "Content-Length:",
            "X: y",
          ]),
        ),
      ),
    () =>
      rewrite((head) =>
        head.replace(
          /Content-Length: \d+/,
          random.pick([
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: chunked\r\nContent-Length: 3",
            "Transfer-Encoding: xchunked",
          ]),
        ),
      ),
    () =>
      rewrite((head) =>
        head.replace(/Host: [^\r]*/, random.pick(["", "Host: a\r\nHost: b", "Host: [::", "Host: \x80", "Host: a b", "Host: @:/"])),
      ),
    () =>
      rewrite(
        (head) =>
          `${head}\r\n${random.pick([" folded", "NoColon", ": no name", "Bad Name: x", "X\0: y", "X: a\0b", "X: \x7f", `X: ${"y".repeat(20_000)}`, "Expect: 200-maybe", "Upgrade: h2c\r\nConnection: Upgrade", "Connection: Upgrade\r\nUpgrade: websocket"])}`,
      ),
    () => rewrite((head) => `${head}${Array.from({ length: 3_000 }, (_, index) => `\r\nX-${index}: y`).join("")}`),
    () => Buffer.from(text.replaceAll("\r\n", "\n"), "latin1"),
    () => Buffer.from(Array.from({ length: random.between(1, 400) }, () => random.between(0, 255))),
    () => Buffer.concat([bytes, bytes.subarray(0, random.between(1, bytes.length))]),
  ])();
  return { bytes: broken, whole: false };
}

/** The body in chunks, some of which lie about their size. */
export function chunkRequest(request: WrittenRequest, random: Random): SentRequest {
  const { bytes } = writeRequest({ ...request, body: Buffer.alloc(0) });
  const head = bytes.toString("latin1").replace(/Content-Length: 0/, "Transfer-Encoding: chunked");
  const lies = random.once(2);
  const middle = random.between(0, request.body.length);
  const chunks = [request.body.subarray(0, middle), request.body.subarray(middle)].filter((chunk) => chunk.length > 0);
  const pieces = chunks.flatMap((chunk) => [
    Buffer.from(
      `${lies && random.once(2) ? random.pick(["zz", "-1", "ffffffffffffffffff", "", "1;x=\0"]) : chunk.length.toString(16)}\r\n`,
      "latin1",
    ),
    chunk,
    Buffer.from("\r\n"),
  ]);
  return { bytes: Buffer.concat([Buffer.from(head, "latin1"), ...pieces, Buffer.from("0\r\n\r\n")]), whole: !lies };
}

/** Headers that belong nowhere, or belong and are wrong. */
export function nastyHeaders(random: Random): readonly (readonly [string, string])[] {
  return Array.from({ length: random.between(0, 3) }, () => [
    random.pick([
      "X-Forwarded-For",
      "Cookie",
      "Accept",
      "Origin",
      "Range",
      "If-Match",
      "TE",
      "Accept-Encoding",
      "Content-Encoding",
      "Content-Language",
    ]),
    random.pick(nastyTexts).slice(0, 4_000),
  ]);
}
