import { neon, neonConfig } from "@neondatabase/serverless";
import { afterEach, expect, test } from "vitest";
import { createDatabase, type Database } from "../../../src/entry/node.ts";
import { answer, startToldServer, type ToldServer } from "./told-server.ts";

const field = { name: "word", tableID: 0, columnID: 0, dataTypeID: 25, dataTypeSize: -1, dataTypeModifier: -1, format: "text" };
const says = (word: string) => ({ fields: [field], rows: [[word]], command: "SELECT", rowCount: 1, rowAsArray: true });

async function startSaying(word: string): Promise<ToldServer> {
  const server = await startToldServer();
  server.tell((request, response) => {
    const login = String(request.headers["neon-connection-string"]);
    answer(200, says(`${word} ${new URL(login).username}`))(request, response);
  });
  return server;
}

function open(server: ToldServer, user: string): Database {
  const password = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return `password-of-${user}`;
  };
  return createDatabase({ host: "127.0.0.1", database: "app", user, password, transport: "http", endpoint: server.url });
}

const { fetchFunction, fetchEndpoint } = neonConfig;
afterEach(() => {
  neonConfig.fetchFunction = fetchFunction;
  neonConfig.fetchEndpoint = fetchEndpoint;
});

test("two databases with endpoints of their own do not mix, however their queries interleave", async () => {
  await using one = await startSaying("one");
  await using two = await startSaying("two");
  await using first = open(one, "alice");
  await using second = open(two, "bob");
  const words = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => (await (index % 2 ? second : first).query<{ word: string }>("select")).rows[0]?.word),
  );
  expect(words).toEqual(Array.from({ length: 100 }, (_, index) => (index % 2 ? "two bob" : "one alice")));
  expect([one.bodies.length, two.bodies.length]).toEqual([50, 50]);
});

test("the driver's global configuration stays as the user set it, and the user's own queries go their own way", async () => {
  await using ours = await startSaying("ours");
  await using theirs = await startSaying("theirs");
  const own = (_: unknown, init: RequestInit) => fetch(`${theirs.url}/sql`, init);
  const ownEndpoint = () => "http://127.0.0.1:1/sql";
  neonConfig.fetchFunction = own;
  neonConfig.fetchEndpoint = ownEndpoint;
  await using db = open(ours, "alice");
  const run = neon("postgresql://carol:secret@db.example/app");
  const results = await Promise.all([db.query("select"), run.query("select"), db.query("select"), run.query("select")]);
  expect([results[0].rows, results[1], results[2].rows, results[3]]).toEqual([
    [{ word: "ours alice" }],
    [{ word: "theirs carol" }],
    [{ word: "ours alice" }],
    [{ word: "theirs carol" }],
  ]);
  expect([neonConfig.fetchFunction, neonConfig.fetchEndpoint]).toEqual([own, ownEndpoint]);
  await Promise.resolve(db.query("select", [undefined as never])).catch(() => {});
  expect([neonConfig.fetchFunction, neonConfig.fetchEndpoint]).toEqual([own, ownEndpoint]);
});
