import { beforeEach, describe, expect, inject, test, vi } from "vitest";
import { WebSocket } from "ws";
import { type EndpointEvent, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { databaseUrl, eventually, postTo, soon, useEndpoint } from "./local-endpoint.ts";

const told: EndpointEvent[] = [];
const { running, post } = useEndpoint({ onEvent: (event) => told.push(event) });

beforeEach(() => {
  told.length = 0;
});

/** The requests it told of, as soon as there are so many. */
async function requests(count: number) {
  const seen = () => told.filter((event) => event.type === "request").map(({ durationMs: _, type: __, ...rest }) => rest);
  return eventually(soon(seen), ({ length }) => length >= count);
}

describe("an endpoint with onEvent", () => {
  test("tells of a request and the connection that was opened for it, in milliseconds", async () => {
    await post(
      { query: "select 'canary', pg_sleep(0.02)" },
      { url: databaseUrl((url) => url.searchParams.set("application_name", "events")) },
    );
    await requests(1);
    expect(told).toEqual([
      { type: "connect", transport: "http", durationMs: expect.any(Number) },
      { type: "request", transport: "http", method: "POST", path: "/sql", status: 200, durationMs: expect.any(Number), failure: null },
    ]);
    expect(told[1]?.durationMs).toBeGreaterThan(19);
  });

  test.each<[string, unknown, string | null, string]>([
    ["the server refuses", { query: "select $1::int", params: ["canary"] }, "22P02", "invalid text representation"],
    ["a function of the database fails", { query: "do $$ begin raise 'canary'; end $$" }, "P0001", "error of a function"],
    ["is no JSON", "canary", null, "could not parse the HTTP request body: it is not JSON"],
  ])("tells why a request failed that %s, and nothing that may be a value", async (_, body, sqlState, reason) => {
    await post(body);
    expect(await requests(1)).toEqual([{ transport: "http", method: "POST", path: "/sql", status: 400, failure: { sqlState, reason } }]);
    expect(JSON.stringify(told)).not.toContain("canary");
  });

  test("tells of what is refused before it is read, and of no path but its own", async () => {
    await fetch(`${running().url}/canary?canary`);
    await fetch(`${running().url}/sql`, { method: "POST", headers: { Origin: "https://canary.example" } });
    await fetch(running().url, { method: "HEAD" });
    expect(await requests(3)).toEqual([
      { transport: "http", method: "GET", path: null, status: 400, failure: { sqlState: null, reason: "query is not supported" } },
      {
        transport: "http",
        method: "POST",
        path: "/sql",
        status: 403,
        failure: { sqlState: null, reason: expect.stringContaining("token") },
      },
      { transport: "http", method: "HEAD", path: "/", status: 200, failure: null },
    ]);
    expect(JSON.stringify(told)).not.toContain("canary");
  });

  test("tells of WebSockets that were refused, or left before they had logged in", async () => {
    const headers = { Origin: "https://canary.example" };
    const { url } = running();
    for (const socket of [new WebSocket(`${url}/v2`, { headers }), new WebSocket(`${url}/canary`), new WebSocket(`${url}/v2`)]) {
      socket.on("error", () => {}).on("open", () => socket.close());
      await new Promise((resolve) => socket.once("close", resolve));
    }
    const common = { transport: "websocket", method: "GET" };
    expect(await requests(3)).toEqual([
      { ...common, path: "/v2", status: 403, failure: { sqlState: null, reason: expect.stringContaining("token") } },
      { ...common, path: null, status: 400, failure: { sqlState: null, reason: "query is not supported" } },
      { ...common, path: "/v2", status: 101, failure: { sqlState: "08P01", reason: expect.stringContaining("client went away") } },
    ]);
    expect(JSON.stringify(told)).not.toContain("canary");
  });

  test("tells of a client that went away", async () => {
    const signal = AbortSignal.timeout(50);
    await post({ query: "select pg_sleep(5)" }, { signal }).catch(() => {});
    const [request] = await requests(1);
    expect(request?.failure).toEqual({ sqlState: "08P01", reason: expect.stringContaining("client went away") });
  });
});

test("what the listener throws fails no request, and is told once", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const onEvent = () => {
    throw new Error("canary");
  };
  const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0, onEvent });
  for (let n = 0; n < 2; n += 1) expect((await postTo(endpoint, { query: "select 1" })).status).toBe(200);
  await endpoint.stop();
  expect(warn.mock.calls).toEqual([[expect.not.stringContaining("canary"), "WarmlineWarning"]]);
  warn.mockRestore();
});

test("refuses an onEvent that is no function", async () => {
  const options = { databaseUrl: inject("postgres").url, port: 0, onEvent: "canary" as never };
  await expect(startEndpoint(options)).rejects.toMatchObject({ code: "INVALID_SETTING", message: "onEvent must be a function." });
});
