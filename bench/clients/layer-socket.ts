import pg from "pg";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";

/** Of the longest key. */
const DIGITS = 5;

/** The floor: a prepared statement's bytes, written to the socket of a client that is logged in; of the answer only its end is looked at. */
export const open: OpenClient = async ({ url }) => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { text, values } = statements["by primary key"];
  await client.query({ name: "floor", text, values: [...values()] });
  const { stream } = client.connection;
  // it is cut off at the end
  client.on("error", () => {});
  const message = bindExecuteSync("floor", "0".repeat(DIGITS));
  stream.removeAllListeners("data");
  let answered = () => {};
  stream.on("data", (chunk) => {
    if (chunk[0] !== BIND_COMPLETE) throw new Error("The server refused what was written.");
    if (endsWithReady(chunk)) answered();
  });
  return {
    ask: (_, [id]) =>
      new Promise<void>((resolve) => {
        answered = resolve;
        // the server reads leading zeros, and has answered what was written before: the same bytes serve all
        message.write(String(id).padStart(DIGITS, "0"), message.length - executeAndSync.length - 2 - DIGITS);
        stream.write(message);
      }),
    close: async () => stream.destroy(),
  };
};

const BIND_COMPLETE = 0x32;

/** ReadyForQuery of five bytes and a status closes every answer. */
function endsWithReady(chunk: Buffer): boolean {
  return chunk[chunk.length - 6] === 0x5a;
}

/** Bind with one value in text, Execute and Sync. Source: PostgreSQL documentation, "Message Formats". */
function bindExecuteSync(name: string, value: string): Buffer {
  const bind = Buffer.alloc(name.length + value.length + 17);
  let at = bind.write("B", 0);
  at = bind.writeInt32BE(bind.length - 1, at) + 1;
  at += bind.write(`${name}\0`, at);
  at = bind.writeInt16BE(0, at);
  at = bind.writeInt16BE(1, at);
  at = bind.writeInt32BE(value.length, at);
  bind.write(value, at);
  return Buffer.concat([bind, executeAndSync]);
}

const executeAndSync = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);
