import { describe, expect, inject, test } from "vitest";
import { sendRaw, statusesIn } from "../fuzz/raw-connection.ts";
import { useEndpoint } from "./local-endpoint.ts";
import { heads, origins, spellings } from "./spellings.ts";

const open = useEndpoint();
const guarded = useEndpoint({ token: "open sesame" });

/** What can be asked, and the status of an answer to whoever may ask it. */
const ways: readonly Way[] = [
  ["a query", "POST", "sql", 200],
  ["a preflight", "OPTIONS", "sql", 200],
  ["an upgrade", "GET", "v2", 101],
  ["an upgrade elsewhere", "GET", "v3", 400],
  ["the page", "GET", "", 200],
  ["another path", "GET", "other", 400],
];
type Way = readonly [title: string, method: string, path: string, status: number];

/** Sends a request whose head begins with these lines, byte by byte as they stand, and gives the status of its answer. */
async function ask(lines: readonly string[], [, method, path, served]: Way, headers: readonly string[] = [], { running } = open) {
  const body = method === "POST" ? '{"query":"select 1"}' : "";
  const upgrade = path.startsWith("v")
    ? ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
    : ["Connection: close"];
  const head = [
    `${method} ${lines[0]?.replace("/PATH", `/${path}`)}`,
    ...lines.slice(1),
    ...headers,
    ...upgrade,
    `Neon-Connection-String: ${inject("postgres").url}`,
    `Content-Length: ${body.length}`,
  ];
  const bytes = Buffer.from(`${head.join("\r\n")}\r\n\r\n${body}`, "latin1");
  const { text } = await sendRaw(running().port, { writes: [bytes], whole: served !== 101 });
  return { statuses: statusesIn(text), text };
}

const to = (host: string) => ["/PATH HTTP/1.1", `Host: ${host}`];

describe.each(ways)("%s without a token", (...way) => {
  const [, , path, served] = way;

  test("is answered for this machine's own names, in every spelling, and for no other", async () => {
    const seen = await Promise.all(spellings.map(async ([host]) => [host, (await ask(to(host), way)).statuses] as const));
    expect(seen).toEqual(spellings.map(([host, own]) => [host, [own ? served : 403]]));
  });

  test("is answered for the pages of this machine, in every spelling, and for no other's", async () => {
    const seen = await Promise.all(
      spellings.map(async ([host]) => [host, (await ask(to("localhost"), way, [`Origin: http://${host}`])).statuses] as const),
    );
    expect(seen).toEqual(spellings.map(([host, own]) => [host, [own ? served : 403]]));
  });

  test.each(heads)("with %s is answered: %s", async (_, own, lines) => {
    const { statuses } = await ask(lines, way);
    // node itself refuses a request of HTTP/1.1 without a Host, unless it is an upgrade
    const refused = lines.length === 1 && lines[0]?.endsWith("1.1") && !path.startsWith("v") ? 400 : 403;
    expect(statuses).toEqual([own ? served : refused]);
  });

  test.each(origins)("with an Origin %s is answered: %s", async (_, own, lines) => {
    expect((await ask(to("localhost"), way, lines)).statuses).toEqual([own ? served : 403]);
  });

  test("tells another's page nothing but what to change", async () => {
    const { text } = await ask(to("example.com"), way);
    expect(text).not.toMatch(/access-control/i);
    if (!path.startsWith("v")) expect(text).toMatch(/localhost.*token/);
  });
});

describe("with a token, which no page of another site has,", () => {
  const token = ["Authorization: Bearer open sesame"];

  test.each(ways)("%s is answered whatever the host's name", async (...way) => {
    for (const host of ["example.com", "endpoint:4444", "localhost"]) {
      expect((await ask(to(host), way, ["Origin: https://example.com", ...token], guarded)).statuses, host).toEqual([way[3]]);
    }
  });

  test.each(ways)("%s is refused without it, a preflight excepted", async (...way) => {
    const { statuses } = await ask(to("localhost"), way, [], guarded);
    expect(statuses).toEqual([way[1] === "OPTIONS" ? 200 : 401]);
  });
});

test.each(["127.0.0.2", "localhost"])("listens on %s without a token", async (host) => {
  const { startEndpoint } = await import("../../src/endpoint/endpoint.ts");
  const endpoint = await startEndpoint({ databaseUrl: inject("postgres").url, port: 0, host });
  expect((await fetch(`${endpoint.url}/sql`, { method: "OPTIONS" })).status).toBe(200);
  await endpoint.stop();
});

test("a database URL with several hosts is refused, for an endpoint stands in front of one server", async () => {
  const { startEndpoint } = await import("../../src/endpoint/endpoint.ts");
  const started = startEndpoint({ databaseUrl: "postgres://u:cAnArY@a.example,b.example/d", port: 0 });
  await expect(started).rejects.toThrow(/names several hosts/);
  await expect(started).rejects.not.toThrow(/cAnArY/);
});
