import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../../src/endpoint/endpoint.ts";
import type { Database, DatabaseEvent } from "../../../src/entry/node.ts";
import { failureOf, openPool, urlAt } from "../databases.ts";

let endpoint: Endpoint;
/** Which requests, by their first line, find nobody. */
let closed: RegExp | undefined;
const gate = createServer((socket: Socket) => {
  socket
    .on("error", () => {})
    .once("data", (first: Buffer) => {
      if (closed?.test(String(first))) return socket.resetAndDestroy();
      const { port } = new URL(endpoint.url);
      const there = connect({ port: Number(port), host: "127.0.0.1" }).on("error", () => socket.destroy());
      there.write(first);
      return socket.pipe(there).pipe(socket);
    });
});

beforeAll(async () => {
  endpoint = await startEndpoint({ databaseUrl: urlAt(), port: 0 });
  gate.listen(0, "127.0.0.1");
  await once(gate, "listening");
});
afterAll(async () => {
  gate.close();
  await endpoint.stop();
});

const query = (db: Database) => db.query("select 1");
const transaction = (db: Database) => db.transaction((tx) => tx.query("select 1"));
const script = (db: Database) => db.script("select 1");

test.each([
  { what: "a WebSocket", closedTo: /^GET/, transport: "websocket", broken: [transaction, script], other: query },
  { what: "a POST", closedTo: /^POST/, transport: "http", broken: [query], other: transaction },
])("a breaker that $what has opened leaves the other way open", async ({ closedTo, transport, broken, other }) => {
  const { port } = gate.address() as { readonly port: number };
  await using db = openPool({ transport: "http", endpoint: `http://127.0.0.1:${port}` });
  const told: DatabaseEvent[] = [];
  db.subscribe((event) => void (event.type === "breaker" && told.push(event)));
  closed = closedTo;
  try {
    const [first] = broken as [typeof query];
    let code = "";
    while (code !== "CIRCUIT_OPEN") ({ code } = await failureOf(first(db)));
    for (const call of broken) expect(await failureOf(call(db))).toMatchObject({ code: "CIRCUIT_OPEN" });
    await other(db);
    expect(told.at(-1)).toMatchObject({ type: "breaker", transport });
    expect(new Set(told.map((event) => (event as { transport?: string }).transport))).toEqual(new Set([transport]));
  } finally {
    closed = undefined;
  }
});
