import { afterEach, expect, test, vi } from "vitest";
import { createDatabase } from "../../../src/entry/edge-http.ts";
import { failureOf } from "../databases.ts";

afterEach(() => void vi.unstubAllGlobals());

const LIMIT = 65_536;

/** A body without an end, of an answer whose headers are those given; how much of it was read, bytes. */
function answerWith(headers: Readonly<Record<string, string>>) {
  const told = { read: 0 };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      told.read += 1_024;
      controller.enqueue(new Uint8Array(1_024).fill(32));
      if (told.read > 100 * LIMIT) controller.error(new Error("read without an end"));
    },
  });
  vi.stubGlobal("fetch", async () => new Response(body, { headers }));
  return told;
}

const open = () => createDatabase({ url: "postgres://app:secret@db.invalid/app", endpoint: "https://db.invalid", maxResponseBytes: LIMIT });

test.each([
  ["beside a transfer encoding", { "content-length": "5", "transfer-encoding": "chunked" }],
  ["of what is compressed", { "content-length": "5", "content-encoding": "gzip" }],
  ["told twice", { "content-length": "5, 5" }],
  ["that is none", { "content-length": "-1" }],
  ["that is empty", { "content-length": "" }],
  ["that is over the limit", { "content-length": String(LIMIT + 1) }],
])("a length %s is not believed: no more is read than may be", async (_, headers) => {
  const told = answerWith(headers);
  await using db = open();
  expect(await failureOf(db.query("select"))).toMatchObject({ code: "RESPONSE_TOO_LARGE", fate: "unknown" });
  expect(told.read).toBeLessThan(2 * LIMIT);
});
