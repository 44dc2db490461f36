import { afterEach, expect, test, vi } from "vitest";
import { Outbox } from "../../../src/wire/encode.ts";

afterEach(() => vi.restoreAllMocks());

/** What one call writes: every kind of field there is. */
function write(outbox: Outbox): Uint8Array {
  outbox.parse("name", "select $1, $2");
  outbox.bind("name", ["value", null, "ä"]);
  outbox.describePortal();
  outbox.execute();
  outbox.sync();
  return outbox.take();
}

test("messages are the same wherever a buffer ends, whatever was in its memory", () => {
  const expected = Buffer.from(write(new Outbox()));
  vi.spyOn(Buffer, "allocUnsafeSlow").mockImplementation((size) => Buffer.alloc(size, 0xff) as Buffer<ArrayBuffer>);
  for (let ahead = 0; ahead <= expected.length; ahead++) {
    const outbox = new Outbox();
    // one byte more each time, so that a buffer ends in the midst of every field
    outbox.query("x".repeat(ahead));
    outbox.take();
    for (let call = 0; call < 200; call++) expect(Buffer.from(write(outbox)).equals(expected)).toBe(true);
  }
});
