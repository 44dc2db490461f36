import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, describe, expect, inject, test } from "vitest";
import { WebSocket } from "ws";
import { startEndpoint } from "../../src/endpoint/endpoint.ts";
import { sendRaw, statusesIn } from "../fuzz/raw-connection.ts";
import { eventually, pause, postTo, soon, times, useEndpoint } from "./local-endpoint.ts";
import { isReady, loginMessages, openTunnel } from "./tunnels.ts";

const { running } = useEndpoint();

/** What the endpoint promises: docs are held to these numbers by their readers. */
const MAX_LOGGING_IN = 128;
const LOGIN_MS = 5_000;

// all wait for a clock, each for its own: they wait together, and what one opened none may end
const opened: WebSocket[] = [];
afterAll(() => {
  for (const webSocket of opened) webSocket.terminate();
});

function tunnel(port = running().port) {
  const made = openTunnel(port);
  opened.push(made.webSocket);
  return made;
}

describe.concurrent("a WebSocket that does not log in", () => {
  test.each<[string, (webSocket: WebSocket) => void]>([
    ["says nothing", () => undefined],
    ["says who, and no password", (webSocket) => webSocket.send(loginMessages("half").subarray(0, 60))],
    [
      "sends a byte at a time",
      (webSocket) => {
        const bytes = loginMessages("slow");
        let at = 0;
        const timer = setInterval(() => webSocket.send(bytes.subarray(at, ++at)), 400);
        webSocket.on("close", () => clearInterval(timer));
      },
    ],
    [
      "asks for encryption again and again",
      (webSocket) => {
        const timer = setInterval(() => webSocket.send(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])), 200);
        webSocket.on("close", () => clearInterval(timer));
      },
    ],
  ])("but %s is told so and closed", async (_, act) => {
    const { webSocket, status, closed, text } = tunnel();
    expect(await status).toBe(101);
    const from = Date.now();
    act(webSocket);
    await closed;
    const took = Date.now() - from;
    expect(took).toBeGreaterThan(LOGIN_MS - 500);
    expect(text()).toContain("C57014");
  });

  test("and answers no close is cut off", async () => {
    const socket = connect(running().port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(
      "GET /v2 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    socket.resume();
    await once(socket, "end");
    socket.destroy();
  });

  test("and is refused its upgrade is cut off too, though it keeps its end open", async () => {
    const socket = connect({ port: running().port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => undefined);
    socket.write("GET /v3 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    socket.resume();
    await once(socket, "end");
    const from = Date.now();
    while (!socket.destroyed && Date.now() - from < 20_000) {
      socket.write("x");
      await pause(50);
    }
    expect(socket.destroyed).toBe(true);
  });

  test("is one of so many at most, and room comes back", async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const silent = times(300).map(() => tunnel(endpoint.port));
    const statuses = await Promise.all(silent.map(({ status }) => status));
    expect([statuses.filter((status) => status === 101).length, statuses.filter((status) => status === 503).length]).toEqual([
      MAX_LOGGING_IN,
      300 - MAX_LOGGING_IN,
    ]);
    expect((await postTo(endpoint, { query: "select 1" })).status).toBe(200);
    await Promise.all(silent.map(async ({ status, closed }) => (await status) === 101 && closed));
    const { webSocket, status, text } = tunnel(endpoint.port);
    expect(await status).toBe(101);
    webSocket.send(loginMessages("after the silent"));
    await eventually(
      soon(() => text()),
      isReady,
    );
    await endpoint.stop();
  });

  test("but is logged in stays", async () => {
    const { webSocket, status, text } = tunnel();
    await status;
    webSocket.send(loginMessages("stays"));
    await eventually(
      soon(() => text()),
      isReady,
    );
    await pause(LOGIN_MS + 1_500);
    expect(webSocket.readyState).toBe(WebSocket.OPEN);
  });
});

describe.concurrent("a request that never comes", () => {
  test.each<[string, string, number]>([
    ["not at all", "", 10_000],
    ["but for half of its head", "POST /sql HTTP/1.1\r\nHost: localhost\r\nX-", 10_000],
  ])("%s is cut off", async (_, bytes, withinMs) => {
    const socket = connect({ port: running().port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    if (bytes !== "") socket.write(bytes);
    socket.resume();
    const from = Date.now();
    await new Promise((resolve) => socket.once("close", resolve));
    expect(Date.now() - from).toBeLessThan(withinMs + 10_000);
  });

  test("in a head of which a byte comes at a time is answered 408", async () => {
    const socket = connect({ port: running().port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
    socket.write("POST /sql HTTP/1.1\r\nHost: localhost\r\n");
    const timer = setInterval(() => socket.write("X"), 300);
    // it may be reset: bytes are on their way to it
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(timer);
    expect(statusesIn(text)).toEqual([408]);
  });

  test("in its body does not hold up a stop", async () => {
    const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0 });
    const writes = [
      Buffer.from(
        `POST /sql HTTP/1.1\r\nHost: localhost\r\nNeon-Connection-String: ${inject("postgres").url}\r\nContent-Length: 100\r\n\r\n{`,
      ),
    ];
    const asked = sendRaw(endpoint.port, { writes, whole: true });
    await eventually(
      soon(() => endpoint.requests),
      (count) => count === 1,
    );
    const from = Date.now();
    await endpoint.stop();
    expect(Date.now() - from).toBeLessThan(10_000);
    await asked;
  });
});
