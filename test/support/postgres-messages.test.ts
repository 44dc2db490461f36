import { describe, expect, test } from "vitest";
import { createMessageReader, type PostgresMessage } from "./postgres-messages.ts";
import { createTripCounter } from "./round-trips.ts";

function packet(type: string, body: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeInt32BE(4 + Buffer.byteLength(body));
  return Buffer.concat([Buffer.from(type, "latin1"), head, Buffer.from(body)]);
}

function request(code: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(8);
  bytes.writeInt32BE(code, 4);
  return bytes;
}

const startup = request(3 << 16);
const sslRequest = request(80_877_103);

describe("the message reader", () => {
  test("finds the same messages however the bytes are cut", () => {
    const bytes = Buffer.concat([startup, packet("P", "select 1"), packet("S", ""), packet("Q", "select 2")]);
    for (const size of [1, 2, 7, bytes.length]) {
      const reader = createMessageReader();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const { message } of reader.readClient(bytes.subarray(at, at + size)))
          found.push(`${message?.type} ${message?.body.subarray(0, 8)}`);
      }
      expect(found.slice(1)).toEqual(["P select 1", "S ", "Q select 2"]);
      expect(found[0]).toMatch(/^startup/);
    }
  });

  test("reads on after refused encryption, and no longer after accepted", () => {
    const types = (answer: string) => {
      const reader = createMessageReader();
      const pieces = [...reader.readClient(sslRequest), ...reader.readServer(Buffer.from(answer)), ...reader.readClient(startup)];
      return pieces.map(({ message }) => message?.type);
    };
    expect(types("N")).toEqual(["ssl", "ssl-answer", "startup"]);
    expect(types("S")).toEqual(["ssl", "ssl-answer", undefined]);
  });

  test("passes on at once what is not Postgres", () => {
    const reader = createMessageReader();
    const bytes = Buffer.from("POST /sql HTTP/1.1\r\n");
    expect(reader.readClient(bytes)).toEqual([{ bytes, message: undefined }]);
    expect(reader.readServer(bytes)).toEqual([{ bytes, message: undefined }]);
  });
});

describe("the trip counter", () => {
  const piece = (from: PostgresMessage["from"], type: string) => ({
    bytes: Buffer.alloc(0),
    message: { from, type, body: Buffer.alloc(0) },
  });
  const count = (conversation: string) => {
    const counter = createTripCounter();
    counter.server(piece("server", "Z"));
    let trips = 0;
    for (const word of conversation.split(" ")) {
      const [side, type = ""] = word.split(":");
      if (side === "server") counter.server(piece("server", type));
      else if (counter.client(piece("client", type))) trips += 1;
    }
    return trips;
  };

  test("gives the client its turn at the end of an answer, not within it", () => {
    expect(count("client:P client:S server:1 server:Z client:Q server:C server:Z")).toBe(2);
    expect(count("client:P client:B server:1 server:2 client:E client:S server:C server:Z")).toBe(1);
    expect(count("client:Q server:N server:C server:Z server:A client:X")).toBe(1);
  });

  test("gives the client its turn at an answer asked for by Flush, and at an invitation to copy", () => {
    expect(count("client:P client:H server:N client:B server:1 client:E client:S server:Z")).toBe(2);
    expect(count("client:Q server:G client:d client:c server:C server:Z")).toBe(2);
  });
});
