import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { checkServer } from "../../src/endpoint/check-server.ts";

const login = { user: "u", password: "canary", database: "d" };
const never = new AbortController().signal;

/** A status, AuthenticationOk and ReadyForQuery, as the server sends them behind a login. */
function welcome(version: string): Buffer {
  const pair = Buffer.from(`server_version\0${version}\0`);
  const head = Buffer.from([0x53, 0, 0, 0, pair.length + 4]);
  return Buffer.concat([Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0]), head, pair, Buffer.from([0x5a, 0, 0, 0, 5, 0x49])]);
}

/** A server that answers the question for TLS, the login and what comes behind, each with the next of these; then it is silent. */
async function listen(answers: { readonly tls?: string; readonly login?: Buffer }) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      if (data.length === 8 && answers.tls !== undefined) socket.write(answers.tls);
      else if (data.length > 8 && data[0] === 0 && answers.login !== undefined) socket.write(answers.login);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = { host: "127.0.0.1", port: (server.address() as { port: number }).port, tls: false } as const;
  return { address, [Symbol.asyncDispose]: async () => void server.close() };
}

test.each([
  ["accepts and says nothing", {}],
  ["says nothing to a login", { tls: "N" }],
  ["lets one in and answers no question", { tls: "N", login: welcome("18.4") }],
])("a server that %s is missing after the time it is given, and no longer", async (_, answers) => {
  await using server = await listen(answers);
  const check = await checkServer(server.address, { login, timeoutMs: 100, stopping: never });
  expect(check).toEqual({ state: "absent", code: "CONNECT_TIMEOUT", reason: "it did not answer within 100 ms (CONNECT_TIMEOUT)" });
});

test("a look ends when it is to stop, however long it may take", async () => {
  await using server = await listen({});
  const stopping = AbortSignal.abort();
  expect(await checkServer(server.address, { login, timeoutMs: 60_000, stopping })).toMatchObject({ state: "absent" });
});

test("where nobody is to log in, the answer to the question for TLS is enough", async () => {
  await using server = await listen({ tls: "N" });
  const check = await checkServer(server.address, { login: undefined, timeoutMs: 10_000, stopping: never });
  expect(check).toEqual({ state: "reached", version: null, roundTripMs: expect.any(Number) });
});
